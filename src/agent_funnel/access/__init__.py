"""The records that HTTP access needs: keys and sessions, personal links, the audit, and stored responses."""
