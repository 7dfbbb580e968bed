"""Times of 24 hours wherever a page does not say how: "1 Jul 2026, 15:08". Django's own British has "3:08 p.m."."""

TIME_FORMAT = "H:i"
DATETIME_FORMAT = "j M Y, H:i"
SHORT_DATETIME_FORMAT = "d/m/Y, H:i"
