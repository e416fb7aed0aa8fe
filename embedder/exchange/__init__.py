"""Embedding tables in the formats of other programs: Parquet and back, CSV, COCO.

In: a table, a Parquet file that was written from one.
Out: files for databases, spreadsheets and training; a table.
May import: foundation, embedder.tables.
"""
