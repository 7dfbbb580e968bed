from django.contrib import admin
from django.urls import path

from staff import dashboard
from staff.admin_sites import dispatch_admin, office_admin
from staff.papers import invoices

urlpatterns = [
    path("admin/", admin.site.urls),
    path("office-admin/", office_admin.urls),
    path("dispatch-admin/", dispatch_admin.urls),
    path("order-dashboard/", dashboard.order_dashboard, name="order_dashboard"),
    path("order-dashboard/export/", dashboard.order_dashboard_export, name="order_dashboard_export"),
    path("order-dashboard/<int:pk>/paid/", dashboard.order_mark_paid, name="order_mark_paid"),
    path("orders/<int:pk>/invoice/", invoices.order_invoice, name="order_invoice"),
    path("orders/<int:pk>/credit-notes/<int:number>/", invoices.order_credit_note, name="order_credit_note"),
]
