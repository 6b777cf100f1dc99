"""The stages after the files: functions from facts and options to results, which rules take."""
