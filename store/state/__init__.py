"""The current objects as encoded bytes, with indexes. Fed by the log's watch alone; knows no verbs and no HTTP."""
