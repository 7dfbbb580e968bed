"""What tells people how the site is: logs, metrics, health, mailed errors, the doctor.

What mends or prevents something belongs elsewhere; whether the data agree, to `staff.integrity`.
"""
