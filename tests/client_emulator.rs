//! The client against the emulated org: each knows Salesforce from its documents alone, so what they agree on is not one mistake made twice.

// Outside of `#[test]` functions the lints do not know that this is a test.
#![allow(clippy::unwrap_used)]

use footbridge::emulator::{Action, Emulator, Fault, Match, Options, serve};
use footbridge::model::{OrgId, RecordId, Secret};
use footbridge::net::{BackoffSettings, Budget, HostRule, Http, Settings};
use footbridge::salesforce::{
    CallFailure, Client, Connect, Demand, ErrorCode, Login, Lookup, ReadFacts, RecordOutcome, RecordUpdate,
    SalesforceError, Size, Speeds, Way, choose_read, encoded_len, jwt_audience,
};
use footbridge::table::Block;
use serde_json::{Map, Value, json};
use url::Url;

async fn org(leads: usize) -> Emulator {
    let org = serve(Options::default()).await.unwrap();
    let records: Vec<Map<String, Value>> = (0..leads)
        .map(|n| {
            let lead = json!({
                "LastName": format!("Ö'Neil \"{n}\"\\"),
                "Company": "Acme, Inc.\nLine two",
                "Email": format!("P+{n}@Example.com"),
                "AnnualRevenue": 12.5,
                "NumberOfEmployees": n,
            });
            lead.as_object().unwrap().clone()
        })
        .collect();
    org.insert("Lead", &records).unwrap();
    org
}

async fn connect(org: &Emulator, login: Login) -> Result<Client, SalesforceError> {
    let http = Http::new(Settings::new(HostRule::suffixes(&[".salesforce.com"])));
    // The emulated org checks the times of assertions against its own clock, which is the real one here.
    #[allow(clippy::disallowed_methods)]
    let clock = jiff::Timestamp::now;
    let budget = Budget::new(BackoffSettings::immediate());
    let mut connect = Connect::new(http, Url::parse(&org.url()).unwrap(), login, budget, clock);
    connect.gzip_requests = true;
    Client::connect(connect).await
}

fn by_token(org: &Emulator) -> Login {
    Login::AccessToken { token: Secret::new(org.access_token()), instance_url: Url::parse(&org.url()).unwrap() }
}

fn by_refresh(org: &Emulator) -> Login {
    let credentials = org.credentials();
    Login::RefreshToken {
        client_id: credentials.client_id,
        client_secret: Some(Secret::new(credentials.client_secret)),
        refresh_token: Secret::new(credentials.refresh_token),
    }
}

fn names(columns: &[&str]) -> Vec<String> {
    columns.iter().map(|c| (*c).to_owned()).collect()
}

fn rows(block: &Block) -> Vec<Vec<String>> {
    let cell = |row, column| String::from_utf8(block.cell(row, column).to_vec()).unwrap();
    (0..block.rows()).map(|row| (0..block.columns()).map(|column| cell(row, column)).collect()).collect()
}

async fn query(client: &Client, soql: &str, columns: &[&str]) -> Result<Vec<Vec<String>>, SalesforceError> {
    let mut all = Vec::new();
    let mut take = |block: Block| -> Result<(), SalesforceError> {
        all.extend(rows(&block));
        Ok(())
    };
    client.query(soql, &names(columns), &mut take).await?;
    Ok(all)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_log_in_leads_to_the_org() {
    let org = org(1).await;
    let credentials = org.credentials();
    let url = Url::parse(&org.url()).unwrap();
    let logins = [
        by_token(&org),
        by_refresh(&org),
        Login::ClientCredentials {
            client_id: credentials.client_id.clone(),
            client_secret: Secret::new(credentials.client_secret.clone()),
        },
        Login::Jwt {
            audience: jwt_audience(&url),
            client_id: credentials.client_id.clone(),
            username: credentials.username.clone(),
            private_key_pem: Secret::new(credentials.private_key.clone()),
        },
    ];
    for login in logins {
        let what = format!("{login:?}");
        let client = connect(&org, login).await.unwrap_or_else(|error| panic!("{what}: {error}"));
        let pinned = OrgId::parse(&org.org_id());
        assert_eq!(client.check_org(pinned).await.unwrap().as_str(), org.org_id(), "{what}");
        let identity = client.identity().await.unwrap();
        assert_eq!(identity.username.as_deref(), Some(credentials.username.as_str()), "{what}");
        assert!(identity.user_id.is_some(), "{what}");
        assert_eq!(client.organization().await.unwrap().id.as_str(), org.org_id(), "{what}");
        assert_eq!(query(&client, "SELECT Id FROM Lead", &["Id"]).await.unwrap().len(), 1, "{what}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_way_of_reading_gives_the_same_cells() {
    let org = org(5_000).await;
    let client = connect(&org, by_token(&org)).await.unwrap();
    let lead = client.describe(&"Lead".into()).await.unwrap();
    assert!(lead.field(&"Email".into()).unwrap().is_indexed());
    assert!(client.describe_global().await.unwrap().iter().any(|o| o.name == "Lead".into()));
    assert!(client.versions().await.unwrap().contains(&"66.0".to_owned()));
    assert_eq!(client.count(&"Lead".into(), Some("IsConverted = false")).await.unwrap(), 5_000);
    assert_eq!(client.record_count(&"Lead".into()).await.unwrap(), Some(5_000));
    assert!(client.limits().await.unwrap().contains_key("DailyApiRequests"));
    assert!(client.usage().unwrap().used > 0);

    let columns =
        ["Id", "Email", "LastName", "Company", "AnnualRevenue", "NumberOfEmployees", "IsConverted", "Owner.Name"];
    let mut by_query = query(&client, &format!("SELECT {} FROM Lead", columns.join(",")), &columns).await.unwrap();
    by_query.sort();
    assert_eq!(by_query.len(), 5_000);

    let literals: Vec<String> = (0..5_000).map(|n| format!("'p+{n}@example.COM'")).collect();
    let lookup = Lookup {
        object: "Lead".into(),
        columns: names(&columns),
        key_field: "Email".into(),
        condition: Some("IsConverted = false".into()),
    };
    let mut by_key = Vec::new();
    let mut take = |block: Block| -> Result<(), SalesforceError> {
        assert_eq!(block.row_number(0), by_key.len() as u64 + 1);
        by_key.extend(rows(&block));
        Ok(())
    };
    let (_, packed) = client.look_up(&lookup, &literals, &mut take).await.unwrap();
    by_key.sort();
    assert_eq!(by_key, by_query);
    let demand = Demand { keys: 5_000, encoded_bytes: literals.iter().map(|l| encoded_len(l) as u64 + 1).sum() };
    let facts = ReadFacts {
        demand,
        indexed: true,
        size: Size::Unlisted,
        row_bytes: 100,
        page_rows: 2_000,
        limits: &client.get_limits(),
        around: lookup.around(),
        calls_left: None,
        speeds: Speeds::default(),
        bulk: true,
    };
    let chosen = choose_read(&facts);
    let sent = (Way::Lookup, packed.queries.len() as u64);
    assert_eq!((chosen.way, chosen.estimate.calls), sent, "the estimate is what is sent");

    let ids: Vec<RecordId> = by_query.iter().map(|row| RecordId::parse(&row[0]).unwrap()).collect();
    let own = columns.len() - 1;
    let blocks = client.read(&"Lead".into(), &ids, &names(&columns[..own])).await.unwrap();
    let by_id: Vec<_> = blocks.iter().flat_map(rows).collect();
    assert_eq!(by_id, by_query.iter().map(|row| row[..own].to_vec()).collect::<Vec<_>>());
    let blocks = client.read(&"Lead".into(), &ids[..10], &names(&columns)).await.unwrap();
    let mut with_parent: Vec<_> = blocks.iter().flat_map(rows).collect();
    with_parent.sort();
    assert_eq!(with_parent, by_query[..10]);
}

fn update(id: &str, body: &str) -> RecordUpdate {
    RecordUpdate { id: RecordId::parse(id).unwrap(), body: body.as_bytes().to_vec() }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_update_says_of_each_record_what_became_of_it() {
    let org = org(2).await;
    let client = connect(&org, by_refresh(&org)).await.unwrap();
    let leads = query(&client, "SELECT Id FROM Lead ORDER BY Id", &["Id"]).await.unwrap();
    let records = [
        update(&leads[0][0], r#""NumberOfEmployees":7,"Company":"Ü \"x\"""#),
        update(&leads[1][0], r#""Email":"no mail""#),
        update("00Q000000000zzz", r#""Company":"x""#),
    ];
    let outcomes = client.update(&"Lead".into(), &records).await.unwrap();
    assert_eq!(outcomes[0], RecordOutcome::Updated);
    let code = |n: usize| match &outcomes[n] {
        RecordOutcome::Failed(error) => Some((error.code.clone(), error.retry)),
        RecordOutcome::Updated => None,
    };
    assert_eq!(code(1), Some((ErrorCode::InvalidEmailAddress, false)));
    assert_eq!(code(2), Some((ErrorCode::InvalidCrossReferenceKey, false)));
    assert_eq!(org.record("Lead", &leads[0][0]).unwrap()["Company"], "Ü \"x\"");
}

fn html(code: u16) -> Action {
    Action::Html { code, text: "Sorry".into() }
}

fn error(status: u16, code: &str) -> Action {
    Action::Error { status, code: code.into(), message: "x".into() }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fault_in_an_update_is_told_for_what_it_is() {
    let org = org(1).await;
    let client = connect(&org, by_refresh(&org)).await.unwrap();
    let leads = query(&client, "SELECT Id FROM Lead", &["Id"]).await.unwrap();
    let table = [
        (Action::CutBefore, "unknown"),
        (Action::CutAfter, "unknown"),
        (Action::CutMidBody, "unknown"),
        (Action::Truncate(20), "unknown"),
        (html(503), "unknown"),
        (html(200), "unknown"),
        (error(500, "UNKNOWN_EXCEPTION"), "unknown"),
        (Action::LimitExceeded, "refused"),
        (Action::ExpireSession, "updated"),
        (error(503, "SERVER_UNAVAILABLE"), "updated"),
        (Action::LockRows { ids: vec![], count: None }, "try again"),
    ];
    for (action, expected) in table {
        let on = Match { method: Some("PATCH".into()), ..Match::default() };
        org.fault(Fault { on, action: action.clone() });
        let told = match client.update(&"Lead".into(), &[update(&leads[0][0], r#""NumberOfEmployees":9"#)]).await {
            Ok(outcomes) => match &outcomes[0] {
                RecordOutcome::Updated => "updated",
                RecordOutcome::Failed(error) if error.retry => "try again",
                RecordOutcome::Failed(_) => "failed",
            },
            Err(CallFailure::Unknown(_)) => "unknown",
            Err(CallFailure::Refused(_)) => "refused",
            Err(CallFailure::NotSent(_)) => "not sent",
        };
        assert_eq!(told, expected, "{action:?}");
        org.clear_faults();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_faulty_read_is_repeated_or_fails_and_is_never_short() {
    let org = org(5).await;
    let client = connect(&org, by_refresh(&org)).await.unwrap();
    let table = [
        (Action::CutBefore, true),
        (Action::CutAfter, true),
        (Action::CutMidBody, true),
        (Action::Truncate(30), true),
        (Action::ExpireSession, true),
        (html(503), true),
        (html(200), false),
        (Action::LimitExceeded, false),
        (Action::HugeBody(300 << 20), false),
    ];
    for (action, passes) in table {
        let on = Match { method: Some("GET".into()), ..Match::default() };
        org.fault(Fault { on, action: action.clone() });
        match query(&client, "SELECT Id FROM Lead", &["Id"]).await {
            Ok(leads) => assert!(passes && leads.len() == 5, "{action:?}"),
            Err(error) => assert!(!passes, "{action:?}: {error}"),
        }
        org.clear_faults();
    }
}
