from django import template

from shop.values.money import money

register = template.Library()
register.filter("money", money)
