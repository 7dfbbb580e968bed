"""What is printed: invoices, and the process that makes PDFs.

Their templates are `templates/staff/`; the offices that show invoices, `staff.admin_sites`.
"""
