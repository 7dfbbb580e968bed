"""What the tests of the catalogue's pages share."""

from decimal import Decimal

from django.test import Client

from shop.models import Product, ProductImage, ProductTag

FRAGMENT = {"HX-Request": "true"}


def stock(number: int, tag: ProductTag | None = None) -> list[Product]:
    """Many books at once: "Book 001" for £1.00 and so on, all with a picture."""
    books = [Product(name=f"Book {n:03}", slug=f"book-{n:03}", price=Decimal(n)) for n in range(1, number + 1)]
    for book in books:
        book.derive([], [])
    Product.objects.bulk_create(books)
    if tag:
        tag.products.through.objects.bulk_create(
            tag.products.through(product_id=book.pk, producttag_id=tag.pk) for book in books
        )
    ProductImage.objects.bulk_create(picture_of(book) for book in books)
    return books


def picture_of(book: Product, name: str = "a.jpg", position: int = 0) -> ProductImage:
    """A picture, not saved, whose files need not be there."""
    return ProductImage(
        product=book,
        position=position,
        image=f"products/{name}",
        width=800,
        height=1200,
        thumbnail=f"thumbnails/{name}",
        thumbnail_width=200,
        thumbnail_height=300,
    )


def titles(html: str) -> list[str]:
    return [part.partition("</span>")[0] for part in html.split('<span class="card__title">')[1:]]


def page(client: Client, path: str, **headers: str) -> str:
    response = client.get(path, headers=headers)
    assert response.status_code == 200
    return response.content.decode()
