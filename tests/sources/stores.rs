//! Reports in object stores, against small fakes of them on this machine.

use super::fake::{Asked, Fake, Reply};
use super::{SEED, csv, people};
use crate::scene::Scene;

/// Objects of a bucket `walkme-exports`, with their times.
const OBJECTS: [(&str, &str, u32); 5] = [
    ("walkme/logins-2026-11-19.csv", "2026-11-19T06:00:00.000Z", 10),
    ("walkme/logins-2026-11-21.csv", "2026-11-21T06:00:00.000Z", 30),
    ("walkme/logins-2026-11-20.csv", "2026-11-20T06:00:00.000Z", 20),
    ("walkme/nps-2026-11-21.csv", "2026-11-21T09:00:00.000Z", 40),
    ("walkme/logins-2026-11-21.tmp", "2026-11-21T10:00:00.000Z", 50),
];

fn http_date(time: &str) -> String {
    let time: jiff::Timestamp = time.parse().unwrap();
    time.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

/// GET of an object and listing, by path: `/walkme-exports/KEY` and `/walkme-exports?list-type=2&prefix=…`, behind a prefix of the path.
fn store(before: &'static str) -> Fake {
    Fake::answering(move |asked: &Asked, _| {
        // Google's way to write a key in an address.
        let path = asked.path().replace("%2F", "/").replace("%2D", "-").replace("%2E", ".");
        let Some(path) = path.strip_prefix(before).and_then(|p| p.strip_prefix("/walkme-exports")) else {
            return Reply::new(404, "<Error><Code>NoSuchBucket</Code></Error>");
        };
        let key = path.trim_start_matches('/');
        if key.is_empty() {
            assert!(
                asked.target.contains("prefix=walkme%2F") || asked.target.contains("prefix=walkme/"),
                "{}",
                asked.target
            );
            return Reply::new(200, listing(asked)).with("Content-Type", "application/xml");
        }
        match OBJECTS.iter().find(|(name, ..)| *name == key) {
            Some((_, time, first)) => {
                Reply::new(200, csv(*first)).with("ETag", "\"e1\"").with("Last-Modified", &http_date(time))
            }
            None => Reply::new(404, "<Error><Code>NoSuchKey</Code></Error>"),
        }
    })
}

fn listing(asked: &Asked) -> String {
    if asked.target.contains("comp=list") {
        let blobs: String = OBJECTS
            .iter()
            .map(|(key, time, first)| {
                format!(
                    "<Blob><Name>{key}</Name><Properties><Creation-Time>{0}</Creation-Time><Last-Modified>{0}</Last-Modified><Etag>e1</Etag><Content-Length>{1}</Content-Length><Content-Type>text/csv</Content-Type></Properties></Blob>",
                    http_date(time),
                    csv(*first).len()
                )
            })
            .collect();
        return format!(
            "<?xml version=\"1.0\"?><EnumerationResults><Prefix>walkme/</Prefix><Blobs>{blobs}</Blobs><NextMarker/></EnumerationResults>"
        );
    }
    let contents: String = OBJECTS
        .iter()
        .map(|(key, time, first)| {
            format!(
                "<Contents><Key>{key}</Key><LastModified>{time}</LastModified><ETag>&quot;e1&quot;</ETag><Size>{}</Size></Contents>",
                csv(*first).len()
            )
        })
        .collect();
    format!(
        "<?xml version=\"1.0\"?><ListBucketResult><Name>walkme-exports</Name><IsTruncated>false</IsTruncated>{contents}</ListBucketResult>"
    )
}

const S3: [(&str, &str); 3] = [
    ("AWS_ACCESS_KEY_ID", "AKIAMARKED"),
    ("AWS_SECRET_ACCESS_KEY", "MARKED-SECRET"),
    ("AWS_SESSION_TOKEN", "MARKED-SESSION"),
];
const AZURE: [(&str, &str); 2] =
    [("AZURE_STORAGE_ACCOUNT_NAME", "acme"), ("AZURE_STORAGE_ACCOUNT_KEY", "TUFSS0VELUtFWQ==")];
const GCS: [(&str, &str); 1] = [("GOOGLE_OAUTH_ACCESS_TOKEN", "MARKED-BEARER")];

fn with(variables: &[(&str, &str)]) -> Scene {
    let mut scene = Scene::seeded(SEED);
    scene.set("FOOTBRIDGE_NOW", "2026-11-21T12:00:00Z");
    for (name, value) in variables {
        scene.set(name, value);
    }
    scene
}

#[test]
fn without_the_feature_it_is_said_how_to_get_it() {
    // The tests' own build has it.
    let Ok(plain) = std::env::var("FOOTBRIDGE_PLAIN") else {
        crate::scene::left_out("set FOOTBRIDGE_PLAIN to a Footbridge that was built without features");
        return;
    };
    let mut scene = with(&S3);
    scene.by(plain.into());
    for url in ["s3://walkme-exports/walkme/logins.csv", "az://walkme/logins.csv", "gs://walkme-exports/logins.csv"] {
        people(&scene, url, "");
        scene.run(&["validate"]).exits(0);
        scene.run(&["plan", "people"]).exits(3).says("FB0420").says("--features object-stores").says(url);
    }
}

#[test]
fn a_key_and_the_newest_of_a_pattern_are_read_from_each_kind_of_store() {
    for (scheme, before, variables, sign) in [
        ("s3", "", &S3[..], "AWS4-HMAC-SHA256 Credential=AKIAMARKED/"),
        ("az", "/acme", &AZURE[..], "SharedKey acme:"),
        ("gs", "", &GCS[..], "Bearer MARKED-BEARER"),
    ] {
        let server = store(before);
        let scene = with(variables);
        let source = |key: &str, more: &str| {
            format!("{{ url: \"{scheme}://walkme-exports/{key}\", endpoint: \"{}\"{more} }}", server.url(""))
        };
        people(&scene, &source("walkme/logins-2026-11-20.csv", ""), "guards: { max_age: 31h }\n");
        scene
            .run(&["apply", "people", "--yes", "-vv"])
            .exits(0)
            .says("2 of 2 records updated")
            .says("2026-11-20 06:00:00 UTC")
            .never_says("MARKED");
        assert_eq!(scene.org().records("Lead")[0]["Count__c"], 20.0, "{scheme}");
        for asked in server.seen() {
            assert!(asked.header("authorization").starts_with(sign), "{scheme}: {}", asked.head);
            assert!(!asked.target.contains("MARKED"), "{scheme}");
        }
        server.forget();
        people(&scene, &source("walkme/logins-*.csv", ", pick: newest"), "guards: { max_age: 12h }\n");
        let ran = scene.run(&["apply", "people", "--yes"]).exits(0);
        ran.says("fetched walkme/logins-2026-11-21.csv, the newest of 3 that fit");
        assert_eq!(scene.org().records("Lead")[0]["Count__c"], 30.0, "{scheme}");
        // Settled once: one listing, one object, though the report is read twice.
        assert_eq!(server.seen().len(), 2, "{scheme}: {:?}", server.seen());
        people(&scene, &source("walkme/logins-2026-11-19.csv", ""), "guards: { max_age: 31h }\n");
        scene.run(&["apply", "people", "--yes"]).exits(4).says("FB0708");

        people(&scene, &source("walkme/none.csv", ""), "");
        scene.run(&["plan", "people"]).exits(1).says("FB0421").says("NoSuchKey");
        people(&scene, &source("walkme/none-*.csv", ", pick: newest"), "");
        scene.run(&["plan", "people"]).exits(1).says("FB0421").says("none of 5 objects fits");
    }
}

/// Whoever may write to the store names its objects.
#[test]
fn an_objects_key_does_not_steer_the_terminal() {
    let server = Fake::answering(|asked: &Asked, _| {
        if asked.path().trim_matches('/') != "walkme-exports" {
            let time = http_date("2026-11-21T06:00:00Z");
            return Reply::new(200, csv(10)).with("ETag", "\"e1\"").with("Last-Modified", &time);
        }
        let one = format!(
            "<Contents><Key>walkme/logins-\u{202e}vsc.csv</Key><LastModified>2026-11-21T06:00:00.000Z</LastModified><ETag>&quot;e1&quot;</ETag><Size>{}</Size></Contents>",
            csv(10).len()
        );
        let list = format!(
            "<?xml version=\"1.0\"?><ListBucketResult><Name>walkme-exports</Name><IsTruncated>false</IsTruncated>{one}</ListBucketResult>"
        );
        Reply::new(200, list).with("Content-Type", "application/xml")
    });
    let scene = with(&S3);
    let source = format!(
        "{{ url: \"s3://walkme-exports/walkme/logins-*.csv\", endpoint: \"{}\", pick: newest }}",
        server.url("")
    );
    people(&scene, &source, "");
    let ran = scene.run(&["apply", "people", "--yes"]).exits(0);
    ran.says("fetched walkme/logins-\\u{202e}vsc.csv, the newest of 1 that fit").never_says("\u{202e}");
}

#[test]
fn stores_refuse_and_fail_in_plain_words_and_without_secrets() {
    let source =
        |server: &Fake| format!("{{ url: s3://walkme-exports/walkme/r.csv, endpoint: \"{}\" }}", server.url(""));
    for (status, code, words) in [
        (403, "SignatureDoesNotMatch", "the store refuses (SignatureDoesNotMatch)"),
        (401, "InvalidToken", "the store refuses (InvalidToken)"),
        (404, "NoSuchBucket", "no such object"),
        (500, "InternalError", "InternalError"),
        (301, "PermanentRedirect", "the store"),
    ] {
        let body = format!(
            "<Error><Code>{code}</Code><AWSAccessKeyId>AKIAMARKED</AWSAccessKeyId><StringToSign>MARKED</StringToSign></Error>"
        );
        let server = Fake::giving(Reply::new(status, body));
        let scene = with(&S3);
        people(&scene, &source(&server), "");
        scene.run(&["plan", "people", "-vv"]).exits(1).says("FB0421").says(words).never_says("MARKED");
        assert_eq!(server.seen().len(), if status == 500 { 6 } else { 1 }, "{status}");
    }
    // Broken off, and continued by the object's tag.
    let body = csv(60).into_bytes();
    let server = Fake::answering(move |asked, n| {
        let reply =
            Reply::new(200, body.clone()).with("ETag", "\"e1\"").with("Last-Modified", "Sat, 21 Nov 2026 06:00:00 GMT");
        match n {
            0 => Reply { cut: Some(9), ..reply },
            _ => {
                assert_eq!((asked.header("range"), asked.header("if-match")), ("bytes=9-", "\"e1\""));
                let length = body.len();
                Reply { status: 206, body: body[9..].to_vec(), ..reply }
                    .with("Content-Range", &format!("bytes 9-{}/{length}", length - 1))
            }
        }
    });
    let scene = with(&S3);
    people(&scene, &source(&server), "");
    scene.run(&["plan", "people", "--detailed-exitcode"]).exits(2);
    assert_eq!(server.seen().len(), 2);
    // Nobody is asked for credentials but the environment: not the machine's metadata service, no file.
    for (url, names) in [
        ("s3://bucket/k", "AWS_ACCESS_KEY_ID"),
        ("az://box/k", "AZURE_STORAGE_ACCOUNT_NAME"),
        ("gs://bucket/k", "GOOGLE_APPLICATION_CREDENTIALS"),
    ] {
        let scene = with(&[]);
        people(&scene, url, "");
        scene.run(&["plan", "people"]).exits(3).says("FB0421").says(names);
    }
}
