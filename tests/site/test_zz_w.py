import re,sys
from tests.site.test_weight import *
from content.models import Article
@pytest.mark.django_db
def test_w(client):
    call_command("starter_content")
    for a in ["/","/articles/",*[x.get_absolute_url() for x in Article.objects.all()],"/points/"]:
        html=client.get(a).content.decode(); c=fetched(client,a); s=styles_of(html)
        print(a,len(c.content),list(map(len,s)),len(c.content)+sum(map(len,s)), "brotli", len(__import__('brotli').compress(html.encode())))
