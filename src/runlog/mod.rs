//! Run logs: format, store, history. Does not know Salesforce.
