"""Will a model run where it is deployed? Facts, stages, rules and reports; and what differs."""
