//! The client's decoders against recorded replies of real orgs (the folder that `FOOTBRIDGE_RECORDINGS` names).

// Outside of `#[test]` functions the lints do not know that this is a test.
#![allow(clippy::unwrap_used, clippy::print_stderr)]

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use footbridge::model::{FieldType, RecordId, Secret};
use footbridge::net::{BackoffSettings, Budget, HostRule, Http, Settings};
use footbridge::salesforce::{
    Client, Connect, ErrorCode, Login, RecordOutcome, RecordUpdate, SalesforceError, TokenErrorCode, Usage,
    decode_object, decode_page, faults,
};
use serde_json::Value;
use url::Url;

/// The folder, or `None` with a loud word.
fn recordings() -> Option<PathBuf> {
    #[allow(clippy::disallowed_methods)]
    let folder = std::env::var("FOOTBRIDGE_RECORDINGS").ok().map(PathBuf::from).filter(|f| f.is_dir());
    if folder.is_none() {
        crate::scene::left_out("FOOTBRIDGE_RECORDINGS names no folder, so the recorded replies were not read");
    }
    folder
}

fn named(folder: &Path, start: &str, end: &str) -> Vec<(String, Vec<u8>)> {
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter_map(|path| {
            let name = path.file_name()?.to_str()?.to_owned();
            (name.starts_with(start) && name.ends_with(end)).then(|| (name, std::fs::read(&path).unwrap()))
        })
        .collect();
    files.sort();
    assert!(!files.is_empty(), "no recording {start}*{end}");
    files
}

fn read(folder: &Path, name: &str) -> Vec<u8> {
    std::fs::read(folder.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn json(folder: &Path, name: &str) -> Value {
    serde_json::from_slice(&read(folder, name)).unwrap()
}

type Sent = Arc<Mutex<Vec<(Method, Uri, Bytes)>>>;

/// An org that gives one answer to everything, and what was asked of it.
async fn org(status: u16, headers: Vec<(String, String)>, body: Vec<u8>) -> (Url, Sent) {
    let sent: Sent = Arc::default();
    let log = sent.clone();
    let app = Router::new().fallback(move |method: Method, uri: Uri, asked: Bytes| {
        log.lock().unwrap().push((method, uri, asked));
        let mut map = HeaderMap::new();
        map.insert("content-type", "application/json;charset=UTF-8".parse().unwrap());
        for (name, value) in &headers {
            map.insert(axum::http::HeaderName::try_from(name.as_str()).unwrap(), value.parse().unwrap());
        }
        let answer = (StatusCode::from_u16(status).unwrap(), map, body.clone());
        async move { answer }
    });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = Url::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
    tokio::spawn(async move { axum::serve(listener, app).await });
    (base, sent)
}

async fn connect(base: &Url, login: Login) -> Result<Client, SalesforceError> {
    let http = Http::new(Settings::new(HostRule::suffixes(&[".salesforce.com"])));
    let clock = || jiff::Timestamp::from_second(1_790_000_000).unwrap();
    Client::connect(Connect::new(http, base.clone(), login, Budget::new(BackoffSettings::immediate()), clock)).await
}

async fn client(status: u16, body: Vec<u8>) -> (Client, Sent) {
    let (base, sent) = org(status, Vec::new(), body).await;
    let login = Login::AccessToken { token: Secret::new("00Dx!y".into()), instance_url: base.clone() };
    (connect(&base, login).await.unwrap(), sent)
}

fn by_secret() -> Login {
    Login::ClientCredentials { client_id: "3MVG".into(), client_secret: Secret::new("s3cret".into()) }
}

#[test]
fn every_recorded_describe_decodes_with_all_its_fields() {
    let Some(folder) = recordings() else { return };
    for (name, body) in named(&folder, "describe_", ".json") {
        let raw: Value = serde_json::from_slice(&body).unwrap();
        let object = decode_object(&body).unwrap_or_else(|error| panic!("{name}: {error}"));
        let fields = raw["fields"].as_array().unwrap();
        assert_eq!(object.fields.len(), fields.len(), "{name}");
        assert_eq!(object.name.as_str(), raw["name"], "{name}");
        for (field, raw) in object.fields.iter().zip(fields) {
            let at = format!("{name} {}", field.name);
            assert_eq!(field.name.as_str(), raw["name"], "{at}");
            assert_eq!(field.field_type.as_str(), raw["type"], "{at}");
            assert!(!matches!(field.field_type, FieldType::Other(_)), "{at}");
            assert_eq!(Value::from(field.length), raw["length"], "{at}");
            assert_eq!(Value::from(field.precision), raw["precision"], "{at}");
            assert_eq!(Value::from(field.scale), raw["scale"], "{at}");
            assert_eq!(Value::from(field.updateable), raw["updateable"], "{at}");
            assert_eq!(Value::from(field.filterable), raw["filterable"], "{at}");
            assert_eq!(Value::from(field.id_lookup), raw["idLookup"], "{at}");
            assert_eq!(field.picklist.len(), raw["picklistValues"].as_array().map_or(0, Vec::len), "{at}");
        }
    }
}

#[test]
fn the_recorded_lead_has_what_a_mapping_needs() {
    let Some(folder) = recordings() else { return };
    let lead = decode_object(&read(&folder, "describe_lead.json")).unwrap();
    assert_eq!((lead.key_prefix.as_deref(), lead.updateable), (Some("00Q"), true));
    let email = lead.field(&"email".into()).unwrap();
    assert_eq!((&email.field_type, email.length, email.is_indexed()), (&FieldType::Email, 80, true));
    let name = lead.field(&"LastName".into()).unwrap();
    assert_eq!(name.compound.as_ref().unwrap().as_str(), "Name");
    assert!(lead.field(&"Status".into()).unwrap().picklist.iter().any(|p| p.active));
}

#[tokio::test]
async fn every_recorded_error_has_a_typed_code() {
    let Some(folder) = recordings() else { return };
    for (name, body) in named(&folder, "error_", ".json") {
        let status: u16 = name[6..9].parse().unwrap();
        let (client, _) = client(status, body.clone()).await;
        let error = client.describe(&"Lead".into()).await.unwrap_err();
        if status == 300 {
            assert!(matches!(error, SalesforceError::Foreign { status: 300, .. }), "{name}: {error:?}");
            continue;
        }
        if let SalesforceError::NotAuthorised { reason, .. } = &error {
            assert!(status == 401 && reason.contains("INVALID_SESSION_ID"), "{name}: {error:?}");
            continue;
        }
        let api = error.api().unwrap_or_else(|| panic!("{name}: {error:?}"));
        assert_eq!(api.status, status, "{name}");
        assert!(!matches!(api.code(), ErrorCode::Other(_)), "{name}: {api}");
        let raw: Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(
            (api.code().as_str(), api.fault.message.as_str()),
            (raw[0]["errorCode"].as_str().unwrap(), raw[0]["message"].as_str().unwrap())
        );
    }
}

#[tokio::test]
async fn errors_seen_in_the_wild_are_known() {
    let Some(folder) = recordings() else { return };
    let (mut requests, mut tokens) = (0, 0);
    for entry in json(&folder, "errors_seen_in_the_wild.json").as_array().unwrap() {
        let body = &entry["body"];
        if body[0]["errorCode"].is_string() {
            let faults = faults(body.to_string().as_bytes());
            assert!(faults.len() == 1 && !matches!(faults[0].code, ErrorCode::Other(_)), "{faults:?}");
            assert_eq!(faults[0].fields.len(), body[0]["fields"].as_array().map_or(0, Vec::len));
            requests += 1;
        } else if body["error"].is_string() {
            let (base, _) = org(400, Vec::new(), body.to_string().into_bytes()).await;
            let error = connect(&base, by_secret()).await.unwrap_err();
            let SalesforceError::Token(token) = &error else { panic!("{error:?}") };
            assert!(!matches!(token.code, TokenErrorCode::Other(_)), "{token:?}");
            assert_eq!(token.description, body["error_description"]);
            tokens += 1;
        }
    }
    assert!(requests >= 13 && tokens >= 8, "{requests} {tokens}");
}

#[tokio::test]
async fn recorded_log_ins_give_session_and_org() {
    let Some(folder) = recordings() else { return };
    for (name, org_id) in [
        ("oauth_jwt_bearer_success_200.json", "00D3h000007R1LuEAK"),
        ("oauth_password_success_200.json", "00Dx0000000BV7zEAG"),
    ] {
        let (base, _) = org(200, Vec::new(), read(&folder, name)).await;
        let client = connect(&base, by_secret()).await.unwrap_or_else(|error| panic!("{name}: {error}"));
        let raw = json(&folder, name);
        assert_eq!(client.instance_url().as_str().trim_end_matches('/'), raw["instance_url"], "{name}");
        assert_eq!(client.check_org(None).await.unwrap().as_str(), org_id, "{name}");
    }
    for name in ["oauth_password_error_400.json", "oauth_refresh_error_400.json"] {
        let (base, _) = org(400, Vec::new(), read(&folder, name)).await;
        let error = connect(&base, by_secret()).await.unwrap_err();
        assert!(
            matches!(&error, SalesforceError::Token(t) if t.code == TokenErrorCode::InvalidGrant),
            "{name}: {error:?}"
        );
    }
}

/// Reads a page by the client and by serde_json, and compares cell by cell.
fn compare_page(name: &str, page: &Value) {
    let records = page["records"].as_array().unwrap();
    let Some(first) = records.first().and_then(Value::as_object) else { return };
    let scalar = |v: &Value| !v.is_object() && !v.is_array();
    let columns: Vec<String> = first
        .keys()
        .filter(|key| *key != "attributes" && records.iter().all(|r| r.get(*key).is_some_and(scalar)))
        .cloned()
        .collect();
    let decoded = decode_page(page.to_string().as_bytes(), &columns, 0, 0).unwrap_or_else(|e| panic!("{name}: {e}"));
    assert_eq!(decoded.block.rows(), records.len(), "{name}");
    assert_eq!(
        (Value::from(decoded.total), Value::from(decoded.done)),
        (page["totalSize"].clone(), page["done"].clone()),
        "{name}"
    );
    assert_eq!(decoded.next.as_deref(), page["nextRecordsUrl"].as_str(), "{name}");
    for (row, record) in records.iter().enumerate() {
        for (column, key) in columns.iter().enumerate() {
            let expected = match &record[key] {
                Value::Null => String::new(),
                Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            assert_eq!(decoded.block.cell(row, column), expected.as_bytes(), "{name} {key}");
        }
    }
}

#[test]
fn recorded_pages_read_as_serde_json_reads_them() {
    let Some(folder) = recordings() else { return };
    for name in ["query_accounts_page.json", "query_aggregate_groupby.json", "query_first_page_nextRecordsUrl.json"] {
        compare_page(name, &json(&folder, name));
    }
    for (name, _) in named(&folder, "exchange_", ".json") {
        for exchange in json(&folder, &name).as_array().unwrap() {
            let body = &exchange["response"]["body"];
            if body["records"].is_array() && body["totalSize"].is_number() {
                compare_page(&name, body);
            }
        }
    }
    for name in ["rest_query_accounts.http", "rest_query_aggregate.http"] {
        let text = String::from_utf8(read(&folder, name)).unwrap();
        compare_page(name, &serde_json::from_str(text.rsplit_once("\n\n").unwrap().1).unwrap());
    }
}

#[test]
fn recorded_usage_headers_are_read() {
    let Some(folder) = recordings() else { return };
    let mut seen = 0;
    for (name, body) in named(&folder, "rest_", ".http") {
        for line in String::from_utf8_lossy(&body).lines() {
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("sforce-limit-info:") {
                let usage = Usage::parse(value.trim()).unwrap_or_else(|| panic!("{name}: {line}"));
                assert!(usage.used > 0 && usage.allowed == 5_000_000, "{name}: {usage:?}");
                seen += 1;
            }
        }
    }
    assert!(seen >= 4, "{seen}");
}

#[tokio::test]
async fn recorded_limits_and_counts_are_read() {
    let Some(folder) = recordings() else { return };
    let (limited, _) = client(200, read(&folder, "limits.json")).await;
    let limits = limited.limits().await.unwrap();
    assert_eq!((limits["DailyApiRequests"].max, limits["DailyApiRequests"].remaining), (15_000, 14_953));
    assert_eq!(limits.len(), json(&folder, "limits.json").as_object().unwrap().len());

    let exchange = &json(&folder, "exchange_collections_update_200.json")[0];
    let (counting, sent) = client(200, exchange["response"]["body"].to_string().into_bytes()).await;
    assert_eq!(counting.record_count(&"Account".into()).await.unwrap(), Some(0));
    assert!(exchange["request"]["uri"].as_str().unwrap().ends_with("/limits/recordCount?sObjects=Account"));
    assert!(sent.lock().unwrap()[0].1.to_string().ends_with("/limits/recordCount?sObjects=Account"));
}

#[tokio::test]
async fn the_recorded_update_is_sent_and_read_alike() {
    let Some(folder) = recordings() else { return };
    let exchange = &json(&folder, "exchange_collections_update_200.json")[2];
    let records = exchange["request"]["body"]["records"].as_array().unwrap();
    let updates: Vec<RecordUpdate> = records
        .iter()
        .map(|record| {
            let mut members = record.as_object().unwrap().clone();
            members.remove("attributes");
            let id = RecordId::parse(members.remove("Id").unwrap().as_str().unwrap()).unwrap();
            let text = Value::from(members).to_string();
            RecordUpdate { id, body: text.as_bytes()[1..text.len() - 1].to_vec() }
        })
        .collect();
    let (client, sent) = client(200, exchange["response"]["body"].to_string().into_bytes()).await;
    let outcomes = client.update(&"Account".into(), &updates).await.unwrap();
    assert_eq!(outcomes, vec![RecordOutcome::Updated; records.len()]);
    let (method, uri, body) = sent.lock().unwrap()[0].clone();
    assert_eq!((method.as_str(), uri.path()), ("PATCH", "/services/data/v66.0/composite/sobjects"));
    // `id` and `Id` are both taken (REST API guide); apart from that the bodies are the same.
    let body: Value =
        serde_json::from_str(&String::from_utf8(body.to_vec()).unwrap().replace("\"id\":", "\"Id\":")).unwrap();
    assert_eq!(body, exchange["request"]["body"]);
}

#[tokio::test]
async fn the_recorded_org_is_read() {
    let Some(folder) = recordings() else { return };
    let mut record = json(&folder, "record_organization.json");
    // The recording's id is masked by its authors.
    record["Id"] = "00D3h000007R1LuEAK".into();
    let body = serde_json::json!({"totalSize": 1, "done": true, "records": [record]});
    let (client, _) = client(200, body.to_string().into_bytes()).await;
    let organization = client.organization().await.unwrap();
    assert_eq!((organization.name.as_str(), organization.is_sandbox), ("CumulusCI - Dev Workspace", true));
    assert_eq!(
        (organization.instance.as_str(), organization.organization_type.as_str()),
        ("CS420", "Developer Edition")
    );
}
