"""How is the committee's workspace served? Its tables, pages and rules of access, as a Django application.

Its modules are imported after `cartrial.review.app.setup.open_workspace` alone, which tells Django where the database is.
"""
