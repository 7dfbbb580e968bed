"""The office's own machinery; what it works on stands in `shop.models`."""
