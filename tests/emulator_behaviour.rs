//! What an emulated org does over its socket, beyond the shapes that recordings show.

mod devices;
mod faults;
mod logins;
mod rights;
mod seeds;
mod sign_in;

use std::io::Write;

use footbridge::emulator::{Access, Clock, Emulator, ObjectRights, Options, PageSize, Settings, WALKME_FIELDS, serve};
use reqwest::{Method, Response, StatusCode};
use serde_json::{Map, Value, json};

/// An org with one client.
struct Org {
    emulator: Emulator,
    client: reqwest::Client,
}

const BASE: &str = "/services/data/v66.0";

impl Org {
    async fn with(options: Options) -> Self {
        let client = crate::http::builder().no_gzip().build().unwrap();
        Self { emulator: serve(options).await.unwrap(), client }
    }

    async fn new() -> Self {
        Self::with(Options { seed_texts: vec![WALKME_FIELDS.to_owned()], ..Options::default() }).await
    }

    fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        let path = if path.starts_with("/services") || path.starts_with("/__") {
            path.to_owned()
        } else {
            format!("{BASE}{path}")
        };
        self.client.request(method, format!("{}{path}", self.emulator.url())).bearer_auth(self.emulator.access_token())
    }

    async fn get(&self, path: &str) -> Response {
        self.request(Method::GET, path).send().await.unwrap()
    }

    async fn patch(&self, path: &str, body: &Value) -> (u16, Value) {
        let reply = self.request(Method::PATCH, path).json(body).send().await.unwrap();
        (reply.status().as_u16(), reply.json().await.unwrap_or(Value::Null))
    }

    async fn query(&self, soql: &str) -> (u16, Value) {
        let reply = self.request(Method::GET, "/query").query(&[("q", soql)]).send().await.unwrap();
        (reply.status().as_u16(), reply.json().await.unwrap())
    }

    fn leads(&self, count: usize) -> Vec<String> {
        let lead =
            |n: usize| map(&json!({"LastName": format!("L{n}"), "Company": "C", "Email": format!("l{n}@x.example")}));
        self.emulator.insert("Lead", &(0..count).map(lead).collect::<Vec<_>>()).unwrap()
    }

    fn lead(&self, id: &str) -> Map<String, Value> {
        self.emulator.record("Lead", id).unwrap()
    }
}

fn map(value: &Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

fn code(body: &Value) -> &str {
    body[0]["errorCode"].as_str().unwrap_or_default()
}

fn change(id: &str, fields: Value) -> Value {
    let mut record = map(&json!({"attributes": {"type": "Lead"}, "id": id}));
    record.extend(map(&fields));
    Value::Object(record)
}

#[tokio::test]
async fn versions_are_open_to_all_and_old_ones_are_gone() {
    let org = Org::new().await;
    let reply = crate::http::client().get(format!("{}/services/data/", org.emulator.url())).send().await.unwrap();
    assert!(reply.headers().get("sforce-limit-info").is_none());
    let all: Value = reply.json().await.unwrap();
    assert_eq!(all.as_array().unwrap().last().unwrap()["version"], "68.0");
    assert_eq!(org.get("/services/data/v29.0/sobjects").await.status(), StatusCode::GONE);
    assert_eq!(org.get("/services/data/v99.0/sobjects").await.status(), StatusCode::NOT_FOUND);
    assert_eq!(org.get("/services/data/latest/sobjects").await.status(), StatusCode::NOT_FOUND);
    assert_eq!(org.get("/nope").await.status(), StatusCode::NOT_FOUND);
    let doubled = format!("{}//services/data", org.emulator.url());
    assert_eq!(crate::http::client().get(doubled).send().await.unwrap().status(), StatusCode::OK);
    assert_eq!(org.emulator.used(), 1, "only a call that reached a resource counts");
}

#[tokio::test]
async fn methods_and_media_types_are_checked() {
    let org = Org::new().await;
    let id = &org.leads(1)[0];
    let path = format!("/sobjects/Lead/{id}");
    let reply = org.request(Method::PUT, &path).json(&json!({})).send().await.unwrap();
    assert_eq!(reply.status(), StatusCode::METHOD_NOT_ALLOWED);
    let reply = org.request(Method::PATCH, &path).body("{}").send().await.unwrap();
    assert_eq!(reply.status(), StatusCode::UNSUPPORTED_MEDIA_TYPE);
    let override_path = format!("{path}?_HttpMethod=PATCH");
    let reply = org.request(Method::POST, &override_path).json(&json!({"Title": "Dr"})).send().await.unwrap();
    assert_eq!(reply.status(), StatusCode::NO_CONTENT);
    let reply = org
        .request(Method::PATCH, &path)
        .header("content-type", "application/json")
        .body("{\"a\" b")
        .send()
        .await
        .unwrap();
    assert_eq!(code(&reply.json().await.unwrap()), "JSON_PARSER_ERROR");
}

#[tokio::test]
async fn usage_is_told_with_every_reply_and_ends_at_the_limit() {
    let settings = Settings { daily_limit: 3, ..Settings::default() };
    let org = Org::with(Options { settings, ..Options::default() }).await;
    let id = &org.emulator.insert("Account", &[map(&json!({"Name": "A"}))]).unwrap()[0];
    let info = |reply: &Response| reply.headers()["sforce-limit-info"].to_str().unwrap().to_owned();
    let path = format!("/sobjects/Account/{id}");
    let patched = org.request(Method::PATCH, &path).json(&json!({"Site": "S"})).send().await.unwrap();
    assert_eq!((patched.status().as_u16(), info(&patched)), (204, "api-usage=1/3".to_owned()));
    let missing = org.get("/sobjects/Nope/describe").await;
    assert_eq!((missing.status().as_u16(), info(&missing)), (404, "api-usage=2/3".to_owned()));
    assert_eq!(
        org.get("/limits").await.json::<Value>().await.unwrap()["DailyApiRequests"],
        json!({"Max": 3, "Remaining": 0})
    );
    let over = org.get("/limits").await;
    assert_eq!((over.status().as_u16(), info(&over)), (403, "api-usage=3/3".to_owned()));
    assert!(over.headers().get("retry-after").is_none());
    let body: Value = over.json().await.unwrap();
    assert_eq!(body, json!([{"message": "TotalRequests Limit exceeded.", "errorCode": "REQUEST_LIMIT_EXCEEDED"}]));
}

#[tokio::test]
async fn field_level_security_hides_and_locks_fields() {
    let org = Org::new().await;
    let id = &org.leads(1)[0];
    let path = format!("/sobjects/Lead/{id}");
    org.emulator.hide_field("Lead", "WalkMe_First_Login__c").unwrap();
    org.emulator.set_access(None, "Lead", "Title", Access::Read).unwrap();
    let described: Value = org.get("/sobjects/Lead/describe").await.json().await.unwrap();
    let field = |name: &str| described["fields"].as_array().unwrap().iter().find(|f| f["name"] == name).cloned();
    assert!(field("WalkMe_First_Login__c").is_none());
    assert_eq!(field("Title").unwrap()["updateable"], false);
    assert_eq!(field("WalkMe_Last_Login__c").unwrap()["updateable"], true);
    let (status, body) = org.patch(&path, &json!({"WalkMe_First_Login__c": null})).await;
    assert_eq!((status, code(&body)), (400, "INVALID_FIELD"));
    let (status, body) = org.patch(&path, &json!({"Title": "Dr", "Name": "x"})).await;
    assert_eq!((status, code(&body)), (400, "INVALID_FIELD_FOR_INSERT_UPDATE"));
    assert_eq!(body[0]["fields"], json!(["Name", "Title"]));
    let read: Value = org.get(&path).await.json().await.unwrap();
    assert!(read.get("WalkMe_First_Login__c").is_none());
}

#[tokio::test]
async fn object_rights_hide_objects_and_refuse_edits() {
    let org = Org::new().await;
    let id = &org.leads(1)[0];
    let admin = org.emulator.credentials().username;
    let set = |object: &'static str, rights| {
        org.emulator.change_user(&admin, |user| user.objects.extend([(object.to_owned(), rights)])).unwrap();
    };
    set("Case", ObjectRights { read: false, edit: false, ..ObjectRights::default() });
    set("Lead", ObjectRights { edit: false, ..ObjectRights::default() });
    assert_eq!(org.get("/sobjects/Case/describe").await.status(), StatusCode::NOT_FOUND);
    let (status, body) = org.patch(&format!("/sobjects/Lead/{id}"), &json!({"Title": "Dr"})).await;
    assert_eq!((status, code(&body)), (403, "INSUFFICIENT_ACCESS_OR_READONLY"));
    let all: Value = org.get("/sobjects").await.json().await.unwrap();
    assert!(all["sobjects"].as_array().unwrap().iter().all(|o| o["name"] != "Case"));
    set("Lead", ObjectRights::default());
    let other = org.leads(1).remove(0);
    org.emulator.change_user(&admin, |user| user.read_only_records.push(other.clone())).unwrap();
    let body = json!({"records": [change(id, json!({"Title": "Dr"})), change(&other, json!({"Title": "Dr"}))]});
    let (_, results) = org.patch("/composite/sobjects", &body).await;
    assert_eq!(results[0]["success"], true);
    assert_eq!(results[1]["errors"][0]["statusCode"], "INSUFFICIENT_ACCESS_OR_READONLY");
    org.emulator.change_user(&admin, |user| user.api_enabled = false).unwrap();
    let body: Value = org.get("/sobjects").await.json().await.unwrap();
    assert_eq!(code(&body), "API_DISABLED_FOR_ORG");
}

#[tokio::test]
async fn a_save_normalises_and_stamps() {
    let at = "2026-11-21T09:00:00.750Z".parse().unwrap();
    let options = Options { seed_texts: vec![WALKME_FIELDS.to_owned()], clock: Clock::Fixed(at), ..Options::default() };
    let org = Org::with(options).await;
    let id = &org.leads(1)[0];
    let body = json!({
        "firstname": "  Ada ", "Title": "", "Description": "a\nb", "NumberOfEmployees": "10000",
        "WalkMe_Last_Login__c": "2026-01-02T04:04:05.999+01:00", "WalkMe_Logins_last_30_days__c": 3.75,
    });
    org.emulator.set_clock(Clock::Fixed("2026-11-21T09:00:05.750Z".parse().unwrap()));
    assert_eq!(org.patch(&format!("/sobjects/Lead/{id}"), &body).await.0, 204);
    let lead = org.lead(id);
    assert_eq!(lead["Name"], "Ada L0");
    assert_eq!(lead["Title"], Value::Null);
    assert_eq!(lead["Description"], "a\r\nb");
    assert_eq!(lead["NumberOfEmployees"], 10_000);
    assert_eq!(lead["WalkMe_Last_Login__c"], "2026-01-02T03:04:05.000+0000");
    assert_eq!(lead["WalkMe_Logins_last_30_days__c"], 3.75, "the scale is not enforced");
    assert_eq!(lead["CreatedDate"], "2026-11-21T09:00:00.000+0000");
    assert_eq!(lead["LastModifiedDate"], "2026-11-21T09:00:05.000+0000");
    assert_eq!(lead["Status"], "Open - Not Contacted");
}

#[tokio::test]
async fn records_that_cannot_be_saved_say_why() {
    let org = Org::new().await;
    let ids = org.leads(3);
    org.emulator.edit("Lead", &ids[0], &map(&json!({"IsConverted": true}))).unwrap();
    org.emulator.delete("Lead", &ids[1]).unwrap();
    let body = json!({"Title": "Dr"});
    for (id, status, expected) in [
        (ids[0].as_str(), 400, "CANNOT_UPDATE_CONVERTED_LEAD"),
        (&ids[1], 404, "ENTITY_IS_DELETED"),
        ("00QEm0zzzzzzzzz", 404, "NOT_FOUND"),
        ("nonsense", 404, "NOT_FOUND"),
        ("0012300000bVTq1AAG", 404, "NOT_FOUND"),
    ] {
        let (found, body) = org.patch(&format!("/sobjects/Lead/{id}"), &body).await;
        assert_eq!((found, code(&body)), (status, expected), "{id}");
    }
    let path = format!("/sobjects/Lead/{}", ids[2]);
    for (body, expected) in [
        (json!({"Id": ids[2], "Title": "x"}), "INVALID_FIELD"),
        (json!({"Email": "nobody"}), "INVALID_EMAIL_ADDRESS"),
        (json!({"OwnerId": "0012300000bVTq1AAG"}), "MALFORMED_ID"),
        (json!({"OwnerId": "005Em0zzzzzzzzz"}), "INVALID_CROSS_REFERENCE_KEY"),
        (json!({"WalkMe_Last_Login__c": "4001-01-01T00:00:00Z"}), "FIELD_INTEGRITY_EXCEPTION"),
        (json!({"IsUnreadByOwner": null}), "INVALID_TYPE_ON_FIELD_IN_RECORD"),
        (json!([1]), "JSON_PARSER_ERROR"),
    ] {
        let (status, found) = org.patch(&path, &body).await;
        assert_eq!((status, code(&found)), (400, expected), "{body}");
    }
}

#[tokio::test]
async fn a_collection_tells_each_record_in_its_place() {
    let org = Org::new().await;
    let ids = org.leads(3);
    org.emulator.delete("Lead", &ids[1]).unwrap();
    let records = json!([
        change(&ids[0][..15], json!({"Title": "A"})),
        change(&ids[1], json!({"Title": "B"})),
        change("00QEm0zzzzzzzzz", json!({"Title": "C"})),
        change("0012300000bVTq1AAG", json!({"Title": "D"})),
        {"attributes": {"type": "Lead"}, "Title": "E"},
        change(&ids[2], json!({"Email": "nobody"})),
    ]);
    let (status, results) = org.patch("/composite/sobjects", &json!({"allOrNone": false, "records": records})).await;
    assert_eq!(status, 200);
    assert_eq!(results[0], json!({"id": ids[0], "success": true, "errors": []}));
    let codes: Vec<&str> = (1..6).map(|n| results[n]["errors"][0]["statusCode"].as_str().unwrap()).collect();
    let expected = [
        "ENTITY_IS_DELETED",
        "INVALID_CROSS_REFERENCE_KEY",
        "MALFORMED_ID",
        "MISSING_ARGUMENT",
        "INVALID_EMAIL_ADDRESS",
    ];
    assert_eq!(codes, expected);
    assert_eq!(results[5]["errors"][0]["fields"], json!(["Email"]));
    assert_eq!(org.lead(&ids[0])["Title"], "A");
    let calls = org.emulator.calls();
    assert!(calls.last().unwrap().counted && calls.len() == 1, "two hundred records are one call");
}

#[tokio::test]
async fn a_collection_is_refused_whole_or_rolled_back_whole() {
    let org = Org::new().await;
    let ids = org.leads(2);
    let send = async |records: Value, all: bool| {
        org.patch("/composite/sobjects", &json!({"allOrNone": all, "records": records})).await
    };
    let good = change(&ids[0], json!({"Title": "A"}));
    let (status, body) = send(json!([good, change(&ids[1], json!({"WalkMe_Last_Login__c": "soon"}))]), false).await;
    assert_eq!((status, code(&body)), (400, "JSON_PARSER_ERROR"));
    let (status, body) = send(json!([good, change(&ids[1], json!({"Nope__c": 1}))]), false).await;
    assert_eq!((status, code(&body)), (400, "INVALID_FIELD"));
    let (status, results) = send(json!([good, change(&ids[1], json!({"Email": "x"}))]), true).await;
    assert_eq!(status, 200);
    assert_eq!(results[0]["errors"][0]["statusCode"], "ALL_OR_NONE_OPERATION_ROLLED_BACK");
    assert_eq!(org.lead(&ids[0])["Title"], Value::Null);
    let (status, body) = send(json!(vec![good.clone(); 201]), false).await;
    assert_eq!((status, code(&body)), (400, "EXCEEDED_ID_LIMIT"));
    let (_, results) = send(json!(vec![good; 14]), false).await;
    let failed = results.as_array().unwrap().iter().position(|r| r["success"] == false);
    assert_eq!(failed, Some(12));
    assert_eq!(results[12]["errors"][0]["statusCode"], "DUPLICATE_VALUE");
    let account = org.emulator.insert("Account", &[map(&json!({"Name": "A"}))]).unwrap().remove(0);
    let mixed: Vec<Value> = (0..11)
        .map(|n| {
            if n % 2 == 0 {
                change(&ids[0], json!({}))
            } else {
                json!({"attributes": {"type": "Account"}, "id": account})
            }
        })
        .collect();
    assert_eq!(send(json!(mixed[..10]), false).await.0, 200);
    assert_eq!(send(json!(mixed), false).await.0, 400);
}

#[tokio::test]
async fn reading_many_gives_null_for_what_is_not_there() {
    let org = Org::new().await;
    let ids = org.leads(2);
    org.emulator.delete("Lead", &ids[1]).unwrap();
    let body = json!({"ids": [ids[1], ids[0], "00QEm0zzzzzzzzz"], "fields": ["Id", "email"]});
    let reply = org.request(Method::POST, "/composite/sobjects/Lead").json(&body).send().await.unwrap();
    let url = format!("{BASE}/sobjects/Lead/{}", ids[0]);
    let found: Value = reply.json().await.unwrap();
    let lead = json!({"attributes": {"type": "Lead", "url": url}, "Id": ids[0], "Email": "l0@x.example"});
    assert_eq!(found, json!([null, lead, null]));
    let many = json!({"ids": vec![&ids[0]; 2_001], "fields": ["Id"]});
    let reply = org.request(Method::POST, "/composite/sobjects/Lead").json(&many).send().await.unwrap();
    assert_eq!(reply.status(), StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn conditions_on_dates_are_heeded() {
    let at = "2026-11-21T09:00:00Z".parse().unwrap();
    let org = Org::with(Options { clock: Clock::Fixed(at), ..Options::default() }).await;
    let id = &org.leads(1)[0];
    let patch = async |date: &str| {
        let request = org.request(Method::PATCH, &format!("/sobjects/Lead/{id}")).header("If-Unmodified-Since", date);
        request.json(&json!({"Title": "Dr"})).send().await.unwrap().status().as_u16()
    };
    assert_eq!(patch("Sat, 21 Nov 2026 08:59:59 GMT").await, 412);
    assert_eq!(patch("Sat, 21 Nov 2026 09:00:00 GMT").await, 204);
    assert_eq!(patch("yesterday").await, 400);
    let describe = org.get("/sobjects/Lead/describe").await;
    let modified = describe.headers()["last-modified"].clone();
    assert_eq!(modified, "Sat, 21 Nov 2026 09:00:00 GMT");
    let again = org.request(Method::GET, "/sobjects/Lead/describe").header("If-Modified-Since", modified);
    let reply = again.send().await.unwrap();
    assert_eq!(reply.status(), StatusCode::NOT_MODIFIED);
    assert!(reply.headers().contains_key("sforce-limit-info"));
}

#[tokio::test]
async fn bodies_are_compressed_both_ways() {
    let org = Org::new().await;
    let id = &org.leads(1)[0];
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    packed.write_all(b"{\"Title\":\"Dr\"}").unwrap();
    let request = org.request(Method::PATCH, &format!("/sobjects/Lead/{id}"));
    let request = request.header("content-type", "application/json").header("content-encoding", "gzip");
    assert_eq!(request.body(packed.finish().unwrap()).send().await.unwrap().status(), 204);
    assert_eq!(org.lead(id)["Title"], "Dr");
    let plain = org.get("/sobjects/Lead/describe").await;
    assert!(plain.headers().get("content-encoding").is_none());
    let reply =
        org.request(Method::GET, "/sobjects/Lead/describe").header("accept-encoding", "gzip").send().await.unwrap();
    assert_eq!(reply.headers()["content-encoding"], "gzip");
    let mut text = String::new();
    let bytes = reply.bytes().await.unwrap();
    std::io::Read::read_to_string(&mut flate2::read::GzDecoder::new(&bytes[..]), &mut text).unwrap();
    assert_eq!(text, plain.text().await.unwrap());
}

#[tokio::test]
async fn long_uris_and_headers_are_refused() {
    let org = Org::new().await;
    let status = async |uri: usize, header: usize| {
        let path = format!("/query?q={}", "x".repeat(uri - BASE.len() - 9));
        let request = org.request(Method::GET, &path).header("x-fill", "y".repeat(header));
        request.send().await.unwrap().status().as_u16()
    };
    assert_eq!(status(16_385, 1).await, 414);
    assert_eq!(status(16_384, 1).await, 431, "URI and headers share the limit");
    assert_eq!(status(60_000, 1).await, 414);
    assert_eq!(status(1_000, 15_600).await, 431);
    assert_eq!(status(15_000, 1).await, 400, "a query that is none");
}

#[tokio::test]
async fn pages_hold_every_record_once_whatever_their_size() {
    for page_size in [PageSize::Full, PageSize::Uneven, PageSize::Fixed(7)] {
        let settings = Settings { page_size, ..Settings::default() };
        let org = Org::with(Options { settings, ..Options::default() }).await;
        let count = if page_size == PageSize::Fixed(7) { 50 } else { 4_500 };
        let ids = org.leads(count);
        let (_, mut page) = org.query("SELECT Id FROM Lead").await;
        let mut found = Vec::new();
        loop {
            assert_eq!(page["totalSize"], count);
            let records = page["records"].as_array().unwrap();
            found.extend(records.iter().map(|r| r["Id"].as_str().unwrap().to_owned()));
            let Some(next) = page.get("nextRecordsUrl") else { break };
            assert_eq!(page["done"], false);
            page = org.get(next.as_str().unwrap()).await.json().await.unwrap();
        }
        assert_eq!(page["done"], true);
        found.sort();
        assert_eq!(found, ids);
    }
}

#[tokio::test]
async fn dead_locators_are_refused() {
    let start = "2026-11-21T09:00:00Z".parse().unwrap();
    let settings = Settings { page_size: PageSize::Fixed(2), ..Settings::default() };
    let org = Org::with(Options { settings, clock: Clock::Fixed(start), ..Options::default() }).await;
    org.leads(5);
    let (_, page) = org.query("SELECT Id FROM Lead").await;
    let next = page["nextRecordsUrl"].as_str().unwrap();
    assert_eq!(org.get(next).await.status(), 200);
    assert_eq!(org.get(next).await.status(), 200, "a page can be had again");
    let body: Value = org.get("/query/01gEm0000000999AAA-2").await.json().await.unwrap();
    assert_eq!(code(&body), "INVALID_QUERY_LOCATOR");
    org.emulator.set_clock(Clock::Fixed("2026-11-23T09:00:01Z".parse().unwrap()));
    let body: Value = org.get(next).await.json().await.unwrap();
    assert_eq!(code(&body), "INVALID_QUERY_LOCATOR");
}

#[tokio::test]
async fn addresses_read_as_compounds() {
    let org = Org::new().await;
    let account = map(&json!({"Name": "A", "BillingCity": "Anchorage", "BillingLatitude": 61.25}));
    let id = &org.emulator.insert("Account", &[account]).unwrap()[0];
    let read: Value =
        org.get(&format!("/sobjects/Account/{id}?fields=BillingAddress,ShippingAddress")).await.json().await.unwrap();
    assert_eq!(read["ShippingAddress"], Value::Null);
    assert_eq!(read["BillingAddress"]["city"], "Anchorage");
    assert_eq!(read["BillingAddress"]["latitude"], 61.25);
    assert_eq!(read["BillingAddress"].as_object().unwrap().len(), 8);
    assert_eq!(read["Id"], *id);
}

#[tokio::test]
async fn the_transcript_keeps_what_was_asked() {
    let org = Org::new().await;
    let request = org.request(Method::GET, "/query").query(&[("q", "SELECT Id FROM Lead")]);
    request.header("Sforce-Call-Options", "client=footbridge").send().await.unwrap();
    org.get("/limits").await;
    let calls = org.emulator.calls();
    assert_eq!(calls.len(), 2);
    assert_eq!(calls[0].query, [("q".to_owned(), "SELECT Id FROM Lead".to_owned())]);
    assert_eq!(calls[0].headers["sforce-call-options"], "client=footbridge");
    assert_eq!(calls[0].headers["authorization"], "Bearer");
    assert_eq!((calls[1].sequence, calls[1].status), (2, 200));
    org.emulator.clear_calls();
    assert!(org.emulator.calls().is_empty());
}

#[tokio::test]
async fn another_process_can_script_the_org() {
    let org = Org::new().await;
    let post = async |path: &str, body: &str| {
        org.request(Method::POST, &format!("/__emulator/{path}")).body(body.to_owned()).send().await.unwrap()
    };
    let ids: Value =
        post("records", "{\"object\":\"Lead\",\"records\":[{\"LastName\":\"L\"}]}").await.json().await.unwrap();
    let id = ids[0].as_str().unwrap();
    assert_eq!(post("edit", &format!("{{ object: Lead, id: {id}, fields: {{ Title: Dr }} }}")).await.status(), 204);
    let found: Value = org.get(&format!("/__emulator/records?object=Lead&id={id}")).await.json().await.unwrap();
    assert_eq!(found[0]["Title"], "Dr");
    assert_eq!(post("faults", "- action: limit_exceeded\n").await.status(), 204);
    assert_eq!(org.get("/limits").await.status(), 403);
    assert_eq!(post("access", "{ object: Lead, field: Title, access: none }").await.status(), 204);
    assert_eq!(post("delete", &format!("{{ object: Lead, id: {id} }}")).await.status(), 204);
    assert_eq!(post("edit", "{ object: Nope, id: x }").await.status(), 400);
    let calls: Value = org.get("/__emulator/calls").await.json().await.unwrap();
    assert_eq!(calls.as_array().unwrap().len(), 1, "the org's own side is not in the transcript");
    assert_eq!(post("expire-sessions", "").await.status(), 204);
    assert_eq!(org.get("/limits").await.status(), 401);
}

#[tokio::test]
async fn an_org_that_stops_answers_no_more() {
    let org = Org::new().await;
    let url = org.emulator.url();
    org.get("/limits").await;
    org.emulator.shutdown().await;
    assert!(crate::http::client().get(format!("{url}/services/data")).send().await.is_err());
}

#[tokio::test]
async fn queries_see_what_the_user_may_see() {
    let org = Org::new().await;
    let ids = org.leads(3);
    org.emulator
        .edit("Lead", &ids[1], &map(&json!({"Email": "ADA@x.example", "WalkMe_Logins_last_30_days__c": 7})))
        .unwrap();
    org.emulator.delete("Lead", &ids[2]).unwrap();
    let soql = "SELECT Id, Owner.Name, WalkMe_Logins_last_30_days__c, CreatedDate FROM Lead WHERE Email IN ('ada@X.example', 'none')";
    let (status, found) = org.query(soql).await;
    assert_eq!(status, 200, "{found}");
    let records = found["records"].as_array().unwrap();
    assert_eq!(records.len(), 1);
    assert_eq!(records[0]["Id"], ids[1]);
    assert_eq!(records[0]["Owner"]["Name"], "Admin");
    assert_eq!(records[0]["WalkMe_Logins_last_30_days__c"], 7.0);
    assert!(records[0]["CreatedDate"].as_str().unwrap().ends_with(".000+0000"));
    let (_, count) = org.query("SELECT COUNT() FROM Lead").await;
    assert_eq!(count, json!({"totalSize": 2, "done": true, "records": []}));
    let (_, own) = org.query("SELECT Id, Name, IsSandbox, OrganizationType, InstanceName FROM Organization").await;
    assert_eq!(own["records"][0]["Id"], org.emulator.org_id());
    assert_eq!(own["records"][0]["IsSandbox"], false);
    org.emulator.hide_field("Lead", "Phone").unwrap();
    let (status, body) = org.query("SELECT Phone FROM Lead").await;
    assert_eq!((status, code(&body)), (400, "INVALID_FIELD"));
    let (status, body) = org.query("SELECT Id FROM Nope").await;
    assert_eq!((status, code(&body)), (400, "INVALID_TYPE"));
    let (status, body) = org.query("SELECT Id FORM Lead").await;
    assert_eq!((status, code(&body)), (400, "MALFORMED_QUERY"));
}

/// What a query says of a record is what a read of it says, for every field that both know.
#[tokio::test]
async fn queries_and_reads_print_alike() {
    let org = Org::new().await;
    let id = &org.leads(1)[0];
    let body = json!({
        "FirstName": "Ada \"x\" é", "Description": "a\nb", "NumberOfEmployees": 7, "AnnualRevenue": 1234567.5, "Latitude": 48.25,
        "WalkMe_Last_Login__c": "2026-01-02T03:04:05Z", "WalkMe_Logins_last_30_days__c": 1e15,
    });
    assert_eq!(org.patch(&format!("/sobjects/Lead/{id}"), &body).await.0, 204);
    let read: Value = org.get(&format!("/sobjects/Lead/{id}")).await.json().await.unwrap();
    let names: Vec<&str> =
        read.as_object().unwrap().keys().map(String::as_str).filter(|n| !["attributes"].contains(n)).collect();
    let (status, found) = org.query(&format!("SELECT {} FROM Lead", names.join(", "))).await;
    assert_eq!(status, 200, "{found}");
    for name in names {
        assert_eq!(found["records"][0][name], read[name], "{name}");
    }
    assert_eq!(found["records"][0]["attributes"], read["attributes"]);
}

#[tokio::test]
async fn each_user_has_rights_of_its_own() {
    let seed = "users: [{ username: admin@x.example }, { username: reader@x.example, objects: { Lead: { edit: false } }, fields: { Lead.Phone: none } }]";
    let org = Org::with(Options { seed_texts: vec![seed.to_owned()], ..Options::default() }).await;
    let id = &org.leads(1)[0];
    let path = format!("{}{BASE}/sobjects/Lead/{id}", org.emulator.url());
    let reader = org.emulator.session_of("READER@x.example").unwrap();
    for (token, status) in [(org.emulator.access_token(), 204), (reader.clone(), 403)] {
        let request = org.client.patch(&path).bearer_auth(token).json(&json!({"Title": "Dr"}));
        assert_eq!(request.send().await.unwrap().status().as_u16(), status);
    }
    let read: Value = org.client.get(&path).bearer_auth(reader).send().await.unwrap().json().await.unwrap();
    assert!(read.get("Phone").is_none() && read["Title"] == "Dr");
    let read: Value = org.get(&format!("/sobjects/Lead/{id}")).await.json().await.unwrap();
    assert!(read.get("Phone").is_some());
    assert!(org.emulator.session_of("nobody").is_err());
}

/// Calls at the same time neither wait for ever nor lose a change.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_at_the_same_time_all_land() {
    let org = Org::new().await;
    let ids = org.leads(1_000);
    let send = async |chunk: &[String]| {
        let records: Vec<Value> = chunk.iter().map(|id| change(id, json!({"Title": "Dr"}))).collect();
        org.patch("/composite/sobjects", &json!({"records": records})).await
    };
    let results = futures_util::future::join_all(ids.chunks(100).map(send)).await;
    assert!(
        results
            .iter()
            .all(|(status, body)| *status == 200 && body.as_array().unwrap().iter().all(|r| r["success"] == true))
    );
    assert!(org.emulator.records("Lead").iter().all(|l| l["Title"] == "Dr"));
    assert_eq!(org.emulator.used(), 10);
}
