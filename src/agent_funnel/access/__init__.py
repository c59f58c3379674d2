"""Everything that the HTTP door needs on record: keys and sessions, personal links, the audit and stored responses."""
