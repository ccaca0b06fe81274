import django.core.validators
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('booking', '0001_initial'),
    ]

    operations = [
        migrations.AddField(
            model_name='resource',
            name='visits_a_day',
            field=models.PositiveSmallIntegerField(blank=True, help_text='Practitioners only. With so many visits on a day, no more are offered online; empty: no limit.', null=True, validators=[django.core.validators.MinValueValidator(1)], verbose_name='most visits a day'),
        ),
    ]
