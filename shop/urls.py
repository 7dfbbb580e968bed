from django.urls import path

from shop.views import accounts, addresses, basket, catalogue, checkout, emails, media, orders, pages

urlpatterns = [
    path("", pages.home, name="home"),
    path("about-us/", pages.about_us, name="about_us"),
    path("contact-us/", pages.contact_us, name="contact_us"),
    path("media/<str:folder>/<str:name>", media.media_picture, name="media_picture"),
    # Catalogue
    path("products/<slug:tag_slug>/", catalogue.product_list, name="product_list"),
    path("product/<slug:slug>/", catalogue.product_detail, name="product_detail"),
    path("author/<slug:slug>/", catalogue.author_detail, name="author_detail"),
    path("series/<slug:slug>/", catalogue.series_detail, name="series_detail"),
    # Basket and checkout
    path("add_to_basket/", basket.basket_add, name="basket_add"),
    path("basket/", basket.basket_detail, name="basket_detail"),
    path("basket/lines/<int:pk>/", basket.basket_line_update, name="basket_line_update"),
    path("basket/lines/<int:pk>/remove/", basket.basket_line_remove, name="basket_line_remove"),
    path("basket/products/<int:pk>/restore/", basket.basket_line_restore, name="basket_line_restore"),
    path("order/address_select/", checkout.order_address_select, name="order_address_select"),
    path("order/address_create/", checkout.order_address_create, name="order_address_create"),
    path("order/done/", checkout.order_done, name="order_done"),
    # Orders
    path("orders/", orders.order_list, name="order_list"),
    path("orders/<int:pk>/", orders.order_detail, name="order_detail"),
    path("orders/<int:pk>/cancel/", orders.order_cancel, name="order_cancel"),
    path("orders/<int:pk>/buy-again/", orders.order_buy_again, name="order_buy_again"),
    # Account
    path("signup/", accounts.signup, name="signup"),
    path("login/", accounts.login, name="login"),
    path("logout/", accounts.logout, name="logout"),
    path("password-change/", accounts.password_change, name="password_change"),
    path("password-reset/", accounts.password_reset, name="password_reset"),
    path("password-reset/done/", accounts.password_reset_done, name="password_reset_done"),
    path("password-reset/complete/", accounts.password_reset_complete, name="password_reset_complete"),
    path("password-reset/<uidb64>/<token>/", accounts.password_reset_confirm, name="password_reset_confirm"),
    path("confirm-email/", emails.email_confirm, name="email_confirm"),
    path("confirm-email/send/", emails.email_confirm_send, name="email_confirm_send"),
    path("address/", addresses.address_list, name="address_list"),
    path("address/create/", addresses.address_create, name="address_create"),
    path("address/<int:pk>/", addresses.address_update, name="address_update"),
    path("address/<int:pk>/delete/", addresses.address_delete, name="address_delete"),
]
