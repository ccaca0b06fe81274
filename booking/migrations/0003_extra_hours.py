import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('booking', '0002_most_visits_a_day'),
    ]

    operations = [
        migrations.CreateModel(
            name='ExtraHours',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('day', models.DateField(verbose_name='day')),
                ('opens', models.TimeField(verbose_name='from')),
                ('closes', models.TimeField(verbose_name='to')),
                ('practitioner', models.ForeignKey(limit_choices_to={'kind': 'practitioner'}, on_delete=django.db.models.deletion.CASCADE, related_name='extra_hours', to='booking.resource', verbose_name='practitioner')),
            ],
            options={
                'verbose_name': 'extra hours',
                'verbose_name_plural': 'extra hours',
                'ordering': ['day', 'opens', 'practitioner'],
                'indexes': [models.Index(fields=['day'], name='extrahours_day')],
                'constraints': [models.CheckConstraint(condition=models.Q(('opens__lt', models.F('closes'))), name='extrahours_open_before_close', violation_error_message='The extra hours must end after they begin.')],
            },
        ),
    ]
