"""What all tables of payments have in common."""

from sqlalchemy import MetaData

metadata = MetaData()
