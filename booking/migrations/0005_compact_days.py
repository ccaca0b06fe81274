from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('booking', '0004_proposed_closures'),
    ]

    operations = [
        migrations.AddField(
            model_name='bookingrules',
            name='keep_days_compact',
            field=models.BooleanField(default=False, help_text='Times right before or after another visit are suggested first. Times that would leave a practitioner a gap too short for their shortest visit are not shown.', verbose_name='keep the day compact'),
        ),
    ]
