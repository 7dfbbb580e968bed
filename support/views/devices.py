from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from support.models import DeviceToken


@require_safe
@login_required
def device_list(request: HttpRequest) -> HttpResponse:
    """Where this person's mobile app is logged in."""
    devices = [device for device in DeviceToken.objects.of(request.user).select_related("user") if device.holds()]
    return render(request, "support/devices.html", {"devices": devices})


@require_POST
@login_required
def device_revoke(request: HttpRequest, pk: int) -> HttpResponse:
    device = get_object_or_404(DeviceToken.objects.of(request.user), pk=pk)
    device.delete()
    messages.success(request, f"“{device.name}” is logged out.")
    return redirect("device_list")
