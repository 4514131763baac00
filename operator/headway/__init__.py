"""Online schema operations for Alembic revisions, usable under plain ``alembic upgrade`` too.

Imported by the users' revision files in the users' image: the standard library, alembic and sqlalchemy only,
and none of Headway's other parts, so that the version a user pins and the version an operator injects may differ.
"""
