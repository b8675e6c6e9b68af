//! The client against a scripted server. Here: what the tests share.

use std::collections::HashMap;

use jiff::Timestamp;
use serde_json::json;
use url::Url;

use super::{Client, Connect, Login, QueryTotals, SalesforceError};
use crate::model::Secret;
use crate::net::scripted::{Reply, Seen, Server};
use crate::net::{BackoffSettings, Budget};
use crate::table::Block;

mod calls;
mod log_in;
mod reads;
mod updates;

pub(super) const ORG: &str = "00D3h000007R1LuEAK";
pub(super) const TOKEN: &str = "00Dtok!MARKED-ACCESS";
pub(super) const REFRESH: &str = "5Aep-MARKED-REFRESH";
pub(super) const CLIENT_SECRET: &str = "MARKED-CLIENT-SECRET";

pub(super) fn secret(text: &str) -> Secret {
    Secret::new(text.to_owned())
}

pub(super) fn token_reply(server_base: Option<&Url>, token: &str) -> String {
    let mut reply = json!({
        "access_token": token, "token_type": "Bearer", "scope": "api",
        "id": format!("https://login.salesforce.com/id/{ORG}/0053h000002xQ5sAAE"),
    });
    if let Some(base) = server_base {
        reply["instance_url"] = json!(base.as_str().trim_end_matches('/'));
    }
    reply.to_string()
}

pub(super) fn by_token(server: &Server) -> Login {
    Login::AccessToken { token: secret(TOKEN), instance_url: server.base() }
}

pub(super) fn by_refresh() -> Login {
    Login::RefreshToken {
        client_id: "3MVG".into(),
        client_secret: Some(secret(CLIENT_SECRET)),
        refresh_token: secret(REFRESH),
    }
}

pub(super) fn connect_to(server: &Server, login: Login) -> Connect {
    let clock = || Timestamp::from_second(1_790_000_000).unwrap();
    Connect::new(server.http(), server.base(), login, Budget::new(BackoffSettings::immediate()), clock)
}

pub(super) async fn client(server: &Server) -> Client {
    Client::connect(connect_to(server, by_token(server))).await.unwrap()
}

pub(super) fn expired() -> Reply {
    Reply::fault(401, "INVALID_SESSION_ID", "Session expired or invalid")
}

pub(super) fn is_token(seen: &Seen) -> bool {
    seen.target == "/services/oauth2/token"
}

pub(super) fn form(seen: &Seen) -> HashMap<String, String> {
    url::form_urlencoded::parse(seen.body.as_bytes()).into_owned().collect()
}

pub(super) fn ids(blocks: &[Block]) -> Vec<String> {
    blocks
        .iter()
        .flat_map(|b| (0..b.rows()).map(|r| String::from_utf8(b.cell(r, 0).to_vec()).unwrap()).collect::<Vec<_>>())
        .collect()
}

pub(super) async fn collect(client: &Client, soql: &str) -> (Result<QueryTotals, SalesforceError>, Vec<Block>) {
    let mut blocks = Vec::new();
    let mut on_block = |block: Block| -> Result<(), SalesforceError> {
        blocks.push(block);
        Ok(())
    };
    let outcome = client.query(soql, &["Id".to_owned()], &mut on_block).await;
    (outcome, blocks)
}

pub(super) fn page(total: usize, ids: std::ops::Range<usize>, next: Option<&str>) -> Reply {
    let records: Vec<_> = ids.map(|n| json!({"attributes": {"type": "Lead"}, "Id": format!("id{n}")})).collect();
    let mut page = json!({"totalSize": total, "done": next.is_none(), "records": records});
    if let Some(next) = next {
        page["nextRecordsUrl"] = json!(next);
    }
    Reply::json(page.to_string())
}
