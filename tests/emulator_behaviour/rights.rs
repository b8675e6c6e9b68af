//! Who may do what: as SOQL tells it, and as it is held to when records are read and written.

use footbridge::emulator::Options;
use reqwest::Method;
use serde_json::{Value, json};

use super::{BASE, Org, change, code, map};

const SEED: &str = "
org: { name: Acme, sandbox: true, instance: EMU7, trial_expires: '2026-12-31T00:00:00Z' }
objects:
  Lead: { fields: [{ name: Score__c, type: number }, { name: Secret__c, type: text }, { name: Seen__c, type: text }] }
users:
  - { username: admin@x.example, profile: System Administrator, modify_all_data: true }
  - username: ci@x.example
    profile: Integration
    permission_set: Footbridge Access
    view_all_data: false
    objects: { Case: { read: false, edit: false }, Account: { edit: false }, Contact: { view_all: true } }
    fields: { Lead.Secret__c: none, Lead.Seen__c: read }
  - { username: narrow@x.example, view_setup: false }
";

/// An org, and one session each of admin, ci and narrow.
async fn org() -> (Org, [String; 3]) {
    let org = Org::with(Options { seed_texts: vec![SEED.to_owned()], ..Options::default() }).await;
    let session = |name: &str| org.emulator.session_of(&format!("{name}@x.example")).unwrap();
    let sessions = [session("admin"), session("ci"), session("narrow")];
    (org, sessions)
}

async fn query(org: &Org, session: &str, soql: &str) -> (u16, Value) {
    let url = format!("{}{BASE}/query", org.emulator.url());
    let reply = org.client.get(url).bearer_auth(session).query(&[("q", soql)]).send().await.unwrap();
    (reply.status().as_u16(), reply.json().await.unwrap())
}

/// Records without their attributes, parents too.
async fn rows(org: &Org, session: &str, soql: &str) -> Vec<Value> {
    let (status, found) = query(org, session, soql).await;
    assert_eq!(status, 200, "{soql}: {found}");
    let bare = |record: &Value| {
        let mut record = map(record);
        record.remove("attributes");
        for value in record.values_mut().filter_map(Value::as_object_mut) {
            value.remove("attributes");
        }
        Value::Object(record)
    };
    found["records"].as_array().unwrap().iter().map(bare).collect()
}

#[tokio::test]
async fn the_org_and_its_users_say_who_they_are() {
    let (org, [admin, ..]) = org().await;
    let soql = "SELECT Name, IsSandbox, InstanceName, OrganizationType, TrialExpirationDate FROM Organization";
    assert_eq!(
        rows(&org, &admin, soql).await,
        [json!({"Name": "Acme", "IsSandbox": true, "InstanceName": "EMU7", "OrganizationType": "Developer Edition",
            "TrialExpirationDate": "2026-12-31T00:00:00.000+0000"})]
    );
    let soql = "SELECT Username, IsActive, Profile.Name, Profile.PermissionsModifyAllData FROM User WHERE Profile.Name LIKE '%i%' ORDER BY Username LIMIT 2";
    assert_eq!(
        rows(&org, &admin, soql).await,
        [
            json!({"Username": "admin@x.example", "IsActive": true,
                "Profile": {"Name": "System Administrator", "PermissionsModifyAllData": true}}),
            json!({"Username": "ci@x.example", "IsActive": true,
                "Profile": {"Name": "Integration", "PermissionsModifyAllData": false}}),
        ]
    );
}

#[tokio::test]
async fn permission_sets_tell_what_they_grant() {
    let (org, [admin, ci, narrow]) = org().await;
    let assigned = "SELECT PermissionSet.Label, PermissionSet.IsOwnedByProfile, PermissionSet.PermissionsApiEnabled FROM PermissionSetAssignment WHERE Assignee.Username = 'ci@x.example' AND PermissionSet.IsOwnedByProfile = false";
    assert_eq!(
        rows(&org, &ci, assigned).await,
        [
            json!({"PermissionSet": {"Label": "Footbridge Access", "IsOwnedByProfile": false, "PermissionsApiEnabled": false}})
        ]
    );
    let mine =
        "ParentId IN (SELECT PermissionSetId FROM PermissionSetAssignment WHERE Assignee.Username = 'ci@x.example')";
    let objects = format!(
        "SELECT SobjectType, PermissionsRead, PermissionsEdit, PermissionsViewAllRecords, PermissionsModifyAllRecords FROM ObjectPermissions WHERE {mine} AND SobjectType IN ('Account', 'Case', 'Contact', 'Lead') ORDER BY SobjectType"
    );
    let row = |object: &str, edit: bool, all: bool| {
        json!({"SobjectType": object, "PermissionsRead": true, "PermissionsEdit": edit, "PermissionsViewAllRecords": all,
            "PermissionsModifyAllRecords": false})
    };
    assert_eq!(
        rows(&org, &ci, &objects).await,
        [row("Account", false, false), row("Contact", true, true), row("Lead", true, false)]
    );
    let fields = format!(
        "SELECT Field, PermissionsRead, PermissionsEdit FROM FieldPermissions WHERE {mine} AND SobjectType = 'Lead' AND Field IN ('Lead.Score__c', 'Lead.Secret__c', 'Lead.Seen__c', 'Lead.LastName') ORDER BY Field"
    );
    let row = |field: &str, edit: bool| json!({"Field": field, "PermissionsRead": true, "PermissionsEdit": edit});
    assert_eq!(rows(&org, &ci, &fields).await, [row("Lead.Score__c", true), row("Lead.Seen__c", false)]);
    // They follow the user's rights.
    org.emulator.change_user("ci@x.example", |user| user.fields.clear()).unwrap();
    assert_eq!(rows(&org, &ci, &fields).await.len(), 3);
    let soql = "SELECT COUNT() FROM PermissionSet WHERE PermissionsModifyAllData = true";
    assert_eq!(query(&org, &admin, soql).await.1["totalSize"], 1);
    assert_eq!(code(&query(&org, &narrow, soql).await.1), "INVALID_TYPE");
    let reply = org.request(Method::PATCH, "/sobjects/Profile/00eEm0000000001AAA").json(&json!({"Name": "x"}));
    assert_ne!(reply.send().await.unwrap().status(), 204);
}

#[tokio::test]
async fn a_record_that_sharing_hides_is_not_there() {
    let (org, [admin, ci, _]) = org().await;
    let ids = org.leads(3);
    let (hidden, locked) = (ids[0].clone(), ids[1].clone());
    org.emulator
        .change_user("ci@x.example", |user| {
            user.hidden_records = vec![hidden[..15].to_owned()];
            user.read_only_records = vec![locked.clone()];
        })
        .unwrap();
    let found = rows(&org, &ci, "SELECT Id FROM Lead ORDER BY Id").await;
    assert_eq!(found, [json!({"Id": ids[1]}), json!({"Id": ids[2]})]);
    assert_eq!(query(&org, &ci, "SELECT COUNT() FROM Lead").await.1["totalSize"], 2);
    assert_eq!(rows(&org, &admin, "SELECT Id FROM Lead").await.len(), 3);
    let call = async |method: Method, path: &str, session: &str, body: Value| {
        let url = format!("{}{BASE}{path}", org.emulator.url());
        let mut request = org.client.request(method, url).bearer_auth(session);
        if !body.is_null() {
            request = request.json(&body);
        }
        let reply = request.send().await.unwrap();
        (reply.status().as_u16(), reply.json::<Value>().await.unwrap_or(Value::Null))
    };
    let path = |id: &str| format!("/sobjects/Lead/{id}");
    assert_eq!(call(Method::GET, &path(&hidden), &ci, Value::Null).await.0, 404);
    assert_eq!(call(Method::PATCH, &path(&hidden), &ci, json!({"Title": "x"})).await.0, 404);
    let (status, body) = call(Method::PATCH, &path(&locked), &ci, json!({"Title": "x"})).await;
    assert_eq!((status, code(&body)), (403, "INSUFFICIENT_ACCESS_OR_READONLY"));
    let wanted = json!({"ids": ids, "fields": ["Id"]});
    let (_, found) = call(Method::POST, "/composite/sobjects/Lead", &ci, wanted).await;
    assert!(found[0].is_null() && found[1]["Id"] == json!(locked));
    let records: Vec<Value> = ids.iter().map(|id| change(id, json!({"Title": "x"}))).collect();
    let (_, results) = call(Method::PATCH, "/composite/sobjects", &ci, json!({"records": records})).await;
    let codes: Vec<&str> =
        results.as_array().unwrap().iter().map(|r| r["errors"][0]["statusCode"].as_str().unwrap_or("")).collect();
    assert_eq!(codes, ["INVALID_CROSS_REFERENCE_KEY", "INSUFFICIENT_ACCESS_OR_READONLY", ""]);
    // View All Data sees them, Modify All Data writes them.
    org.emulator.change_user("ci@x.example", |user| user.view_all_data = true).unwrap();
    assert_eq!(rows(&org, &ci, "SELECT Id FROM Lead").await.len(), 3);
    assert_eq!(call(Method::PATCH, &path(&locked), &ci, json!({"Title": "x"})).await.0, 403);
    org.emulator.change_user("ci@x.example", |user| user.modify_all_data = true).unwrap();
    assert_eq!(call(Method::PATCH, &path(&locked), &ci, json!({"Title": "x"})).await.0, 204);
    let (status, body) = call(Method::PATCH, &path(&locked), &ci, json!({"Seen__c": "x"})).await;
    assert_eq!(
        (status, code(&body)),
        (400, "INVALID_FIELD_FOR_INSERT_UPDATE"),
        "field-level security holds all the same"
    );
}

#[tokio::test]
async fn user_record_access_answers_for_up_to_200_records() {
    let (org, [admin, ci, _]) = org().await;
    let ids = org.leads(201);
    let own = rows(&org, &ci, "SELECT Id FROM User WHERE Username = 'ci@x.example'").await;
    let user = own[0]["Id"].as_str().unwrap();
    org.emulator
        .change_user("ci@x.example", |u| {
            u.hidden_records = vec![ids[0].clone()];
            u.read_only_records = vec![ids[1].clone()];
        })
        .unwrap();
    let list = |count: usize| ids[..count].iter().map(|id| format!("'{id}'")).collect::<Vec<_>>().join(",");
    let ask = |count: usize| {
        format!(
            "SELECT RecordId, HasReadAccess, HasEditAccess, MaxAccessLevel FROM UserRecordAccess WHERE UserId = '{user}' AND RecordId IN ({})",
            list(count)
        )
    };
    let told: Vec<Value> = rows(&org, &ci, &ask(3)).await;
    let row = |id: &str, read: bool, edit: bool, level: &str| json!({"RecordId": id, "HasReadAccess": read, "HasEditAccess": edit, "MaxAccessLevel": level});
    assert_eq!(
        told,
        [row(&ids[0], false, false, "None"), row(&ids[1], true, false, "Read"), row(&ids[2], true, true, "Edit")]
    );
    let soql = format!("{} AND HasEditAccess = false", ask(3));
    assert_eq!(rows(&org, &admin, &soql).await.len(), 2);
    assert_eq!(rows(&org, &ci, &ask(200)).await.len(), 200);
    assert_eq!(code(&query(&org, &ci, &ask(201)).await.1), "MALFORMED_QUERY");
    let (status, body) = query(&org, &ci, "SELECT RecordId FROM UserRecordAccess").await;
    assert_eq!((status, code(&body)), (400, "MALFORMED_QUERY"));
}
