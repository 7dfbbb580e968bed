"""What is printed: invoices, and the process that makes PDFs.

Their templates are `templates/staff/`; who may see one, `admin_sites` and `invoices` say.
"""
