//! gzip and zstd, known by the content and not by the name, from files and from elsewhere.

use std::io::Write as _;

use super::fake::{Fake, Reply};
use super::{SEED, csv, people};
use crate::scene::Scene;

fn gzip(text: &str) -> Vec<u8> {
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packer.write_all(text.as_bytes()).unwrap();
    packer.finish().unwrap()
}

fn zstd(text: &str) -> Vec<u8> {
    ruzstd::encoding::compress_to_vec(text.as_bytes(), ruzstd::encoding::CompressionLevel::Fastest)
}

#[test]
fn packed_reports_are_read_whatever_they_are_called() {
    let scene = Scene::seeded(SEED);
    for (n, bytes) in [gzip(&csv(1)), zstd(&csv(3)), csv(5).into_bytes()].into_iter().enumerate() {
        let first = 1.0 + 2.0 * n as f64;
        for name in ["exports/r.csv", "exports/r.csv.gz", "exports/r.zst"] {
            scene.write_bytes(name, &bytes);
            people(&scene, name, "");
            scene.run(&["apply", "people", "--yes"]).exits(0);
            assert_eq!(scene.org().records("Lead")[0]["Count__c"], first, "{name}");
        }
        for encoded in [None, Some("gzip")].into_iter().filter(|e| e.is_none() || n == 0) {
            let mut reply = Reply::new(200, bytes.clone());
            if let Some(encoded) = encoded {
                reply = reply.with("Content-Encoding", encoded);
            }
            let server = Fake::giving(reply);
            people(&scene, &server.url("/report"), "");
            scene.run(&["plan", "people", "--detailed-exitcode"]).exits(0);
        }
    }
}

#[test]
fn packed_reports_that_are_cut_off_or_damaged_are_told_with_their_kind() {
    let scene = Scene::seeded(SEED);
    let long: String = "Key,Count\n".to_owned()
        + &(0..5000).map(|n| format!("p{n}@example.org,{}\n", n * 7919 % 10_007)).collect::<String>();
    for (kind, bytes) in [("gzip", gzip(&long)), ("zstd", zstd(&long))] {
        for cut in [bytes.len() / 2, bytes.len() - 3] {
            scene.write_bytes("exports/r.csv", &bytes[..cut]);
            people(&scene, "exports/r.csv", "");
            scene.run(&["plan", "people"]).exits(1).says("FB0404").says(kind);
        }
    }
    let mut spoilt = zstd(&long);
    let middle = spoilt.len() / 2;
    spoilt[middle..middle + 8].copy_from_slice(&[0xFF; 8]);
    scene.write_bytes("exports/r.csv", &spoilt);
    let ran = scene.run(&["plan", "people"]);
    assert!(ran.code != 0 && ran.code != 70, "{ran:?}");
}
