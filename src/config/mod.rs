//! YAML documents as written (with spans) made into valid documents; JSON Schema. Knows neither Salesforce nor HTTP.
