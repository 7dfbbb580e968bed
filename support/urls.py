from django.urls import path

from support.views import chats, events, messages

urlpatterns = [
    path("customer-service/", chats.customer_service, name="customer_service"),
    path("customer-service/notify/", events.chat_events, name="chat_events"),
    path("customer-service/<int:pk>/", chats.chat_detail, name="chat_detail"),
    path("customer-service/<int:pk>/claim/", chats.chat_claim, name="chat_claim"),
    path("customer-service/<int:pk>/release/", chats.chat_release, name="chat_release"),
    path("customer-service/<int:pk>/notes/", chats.note_create, name="note_create"),
    path("mobile-api/my-orders/<int:pk>/messages/", messages.message_list, name="message_list"),
]
