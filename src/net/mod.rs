//! The one way to speak HTTP: client, time-outs, retry by class of call, body limits. Does not know Salesforce.
