from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('booking', '0003_extra_hours'),
    ]

    operations = [
        migrations.AddField(
            model_name='closure',
            name='holiday_on',
            field=models.DateField(blank=True, editable=False, null=True, unique=True, verbose_name='proposed for the holiday of'),
        ),
        migrations.AddField(
            model_name='closure',
            name='proposed',
            field=models.BooleanField(default=False, help_text='Closes nothing until you take this tick away.', verbose_name='only proposed'),
        ),
    ]
