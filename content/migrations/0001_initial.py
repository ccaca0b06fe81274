import django.core.validators
import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
    ]

    operations = [
        migrations.CreateModel(
            name='Article',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('title', models.CharField(max_length=120, verbose_name='title')),
                ('slug', models.SlugField(help_text='Stays as it is once the article is published: others link to it.', max_length=80, unique=True, verbose_name='name in addresses')),
                ('summary', models.CharField(blank=True, help_text='What readers and search engines see under the title. At most 200 characters.', max_length=200, verbose_name='summary')),
                ('key_points', models.TextField(blank=True, help_text='Three or four points, each on a line of its own.', verbose_name='in short')),
                ('body', models.TextField(blank=True, help_text='Markdown. “## Heading” begins a part, “[^1]” cites reference 1. A line “::: emergency Call 911 if:” begins a care card and a line “:::” ends it; urgent, non-urgent and note are cards too.', verbose_name='text')),
                ('topic', models.CharField(choices=[('back-pain', 'Back pain'), ('acupuncture', 'Acupuncture'), ('safety', 'Side effects and safety')], max_length=20, verbose_name='topic')),
                ('language', models.CharField(choices=[('en', 'English'), ('zh-hant', '繁體中文'), ('zh-hans', '简体中文'), ('fa', 'فارسی')], default='en', max_length=10, verbose_name='language')),
                ('position', models.PositiveSmallIntegerField(default=0, verbose_name='position in lists')),
                ('invites_booking', models.BooleanField(default=True, help_text='Untick where readers may need a doctor first: the invitation to book is left out.', verbose_name='invites to book')),
                ('author', models.CharField(blank=True, max_length=120, verbose_name='written by')),
                ('reviewer', models.CharField(blank=True, help_text='Name and registered title. While empty, the page says that it awaits clinical review.', max_length=120, verbose_name='clinical reviewer')),
                ('reviewed_on', models.DateField(blank=True, null=True, verbose_name='last reviewed')),
                ('review_due_on', models.DateField(blank=True, null=True, verbose_name='next review due')),
                ('status', models.CharField(choices=[('draft', 'draft'), ('published', 'published')], default='draft', max_length=10, verbose_name='status')),
                ('published_at', models.DateTimeField(blank=True, help_text='Left empty, it is the moment of publishing.', null=True, verbose_name='visible from')),
                ('related', models.ManyToManyField(blank=True, help_text='While empty, readers are shown others on the same topic.', related_name='+', to='content.article', verbose_name='related articles')),
            ],
            options={
                'verbose_name': 'article',
                'verbose_name_plural': 'articles',
                'ordering': ['position', 'title'],
            },
        ),
        migrations.CreateModel(
            name='Reference',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.PositiveSmallIntegerField(validators=[django.core.validators.MinValueValidator(1)], verbose_name='number')),
                ('text', models.TextField(verbose_name='source')),
                ('doi', models.CharField(blank=True, max_length=200, validators=[django.core.validators.RegexValidator('^10\\.[0-9]{4,9}/\\S+$', 'A DOI looks like 10.1001/archinte.167.17.1892.')], verbose_name='DOI')),
                ('url', models.URLField(blank=True, max_length=500, verbose_name='address')),
                ('article', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='references', to='content.article', verbose_name='article')),
            ],
            options={
                'verbose_name': 'reference',
                'verbose_name_plural': 'references',
                'ordering': ['number'],
            },
        ),
        migrations.AddConstraint(
            model_name='article',
            constraint=models.CheckConstraint(condition=models.Q(('review_due_on__gt', models.F('reviewed_on'))), name='article_review_due_after_review', violation_error_message='The next review comes after the last one.'),
        ),
        migrations.AddConstraint(
            model_name='article',
            constraint=models.CheckConstraint(condition=models.Q(('status', 'draft'), models.Q(('published_at__isnull', False), ('review_due_on__isnull', False), ('reviewed_on__isnull', False), ('status', 'published'), models.Q(('summary', ''), _negated=True), models.Q(('body', ''), _negated=True), models.Q(('author', ''), _negated=True)), _connector='OR'), name='article_published_is_complete', violation_error_message='A published article is complete.'),
        ),
        migrations.AddConstraint(
            model_name='reference',
            constraint=models.UniqueConstraint(fields=('article', 'number'), name='reference_number_once'),
        ),
        migrations.AddConstraint(
            model_name='reference',
            constraint=models.CheckConstraint(condition=models.Q(('number__gte', 1)), name='reference_number_from_one'),
        ),
        migrations.AddConstraint(
            model_name='reference',
            constraint=models.CheckConstraint(condition=models.Q(('doi', ''), ('url', ''), _connector='OR'), name='reference_one_link_at_most', violation_error_message='Give the DOI or an address, not both.'),
        ),
    ]
