//! What can be wrong with a report. All but what only the org can tell is found before the org is asked anything.

use std::io::Write;
use std::process::Command;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::{APPLY, Asks, PLAN, REPORT, change, golden, good, reporting, tells, with};
use crate::scene::{Ran, Scene};

fn gz(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn utf16(text: &str, bom: bool) -> Vec<u8> {
    let mut bytes = if bom { vec![0xFF, 0xFE] } else { Vec::new() };
    bytes.extend(text.encode_utf16().flat_map(u16::to_le_bytes));
    bytes
}

/// One record would change.
#[track_caller]
fn plans_the_one_record(scene: &Scene) -> Ran {
    scene.run(&["plan", "logins-to-leads", "--detailed-exitcode"]).exits(2).says("1 record")
}

#[test]
fn a_missing_report_is_told_with_the_near_name() {
    let scene = good();
    std::fs::rename(scene.path("exports/logins-review.csv"), scene.path("exports/logins-review (1).csv")).unwrap();
    tells("report-missing-near", &scene, &PLAN, 1, Asks::Nothing);
    std::fs::remove_file(scene.path("exports/logins-review (1).csv")).unwrap();
    tells("report-missing-empty-folder", &scene, &PLAN, 1, Asks::Nothing);
    scene.write("exports/nps.csv", "a,b\n");
    tells("report-missing-others", &scene, &APPLY, 1, Asks::Nothing);
    change(&scene, "exports/logins-review.csv", "downloads/logins-review.csv");
    tells("report-missing-folder", &scene, &PLAN, 1, Asks::Nothing);
}

#[test]
fn a_folder_is_no_report() {
    let scene = good();
    std::fs::remove_file(scene.path("exports/logins-review.csv")).unwrap();
    std::fs::create_dir(scene.path("exports/logins-review.csv")).unwrap();
    tells("report-folder", &scene, &PLAN, 1, Asks::Nothing);
}

#[test]
fn an_empty_report_is_told() {
    tells("report-empty", &reporting(b""), &PLAN, 1, Asks::Nothing);
    tells("report-blank-lines", &reporting(b"\n\n \n"), &PLAN, 1, Asks::Nothing);
}

#[test]
fn a_report_of_a_header_alone_is_held_by_min_rows() {
    let scene = reporting(b"User ID,First Login,City\n");
    scene.run(&PLAN).exits(0).says("Held back by min_rows").says("header and no rows");
    scene.org().clear_calls();
    scene.run(&APPLY).exits(4).says("min_rows");
    assert_eq!(scene.write_calls(), 0);
}

#[test]
fn a_report_cut_off_in_a_quoted_field_is_told() {
    let scene = reporting(b"User ID,First Login,City\nada@example.org,2026-08-01T09:00:00Z,\"Gr");
    tells("report-cut-in-quotes", &scene, &PLAN, 1, Asks::Nothing);
    tells("report-cut-in-quotes-apply", &scene, &APPLY, 1, Asks::Nothing);
}

#[test]
fn a_ragged_row_is_told_with_its_line() {
    let scene =
        reporting(b"User ID,First Login,City\nada@example.org,2026-08-01T09:00:00Z,Graz, Austria\nbo@example.org,,\n");
    tells("report-ragged", &scene, &PLAN, 1, Asks::Nothing);
    let scene = reporting(b"User ID,First Login,City\nada@example.org,2026-08-01T09:00:00Z,Graz\nbo@exam");
    tells("report-cut-in-last-line", &scene, &PLAN, 1, Asks::Nothing);
    let scene = reporting(b"User ID,First Login,City\nada@example.org,2026-08-01T09:00:00Z,\"Graz\" an der Mur\n");
    tells("report-text-after-quote", &scene, &PLAN, 1, Asks::Nothing);
}

/// 70 MiB without a line end, in an address space that could not hold it twice.
#[cfg(target_os = "linux")]
#[test]
fn a_line_far_too_long_is_told_within_bounded_memory() {
    for (name, chunk) in
        [("report-line-too-long", vec![b'a'; 1 << 20]), ("report-line-of-cells", b"aaaaaaa,".repeat(1 << 17))]
    {
        let scene = good();
        let mut file = std::fs::File::create(scene.path("exports/logins-review.csv")).unwrap();
        file.write_all(b"User ID,First Login,City\nada@example.org,").unwrap();
        for _ in 0..70 {
            file.write_all(&chunk).unwrap();
        }
        drop(file);
        let command = scene.command(&PLAN);
        let mut limited = Command::new("sh");
        limited
            .args(["-c", "ulimit -v 393216; exec \"$0\" \"$@\""])
            .arg(command.get_program())
            .args(command.get_args());
        limited.current_dir(scene.root()).env_clear();
        limited.envs(command.get_envs().filter_map(|(n, v)| v.map(|v| (n, v))));
        let output = limited.output().unwrap();
        assert!(scene.org().calls().is_empty());
        let text = |bytes| String::from_utf8(bytes).unwrap();
        let ran = Ran { code: output.status.code().unwrap_or(-1), out: text(output.stdout), err: text(output.stderr) };
        golden(name, &scene, &PLAN, ran.exits(1));
    }
}

#[test]
fn the_wrong_encoding_is_told_and_the_right_one_reads() {
    let scene = reporting(b"User ID,First Login,City\nada@example.org,2026-08-01T09:00:00Z,M\xFCnchen\n");
    tells("report-windows-1252", &scene, &PLAN, 1, Asks::Nothing);
    change(
        &scene,
        "  source: exports/logins-review.csv",
        "  source: { path: exports/logins-review.csv, encoding: windows-1252 }",
    );
    scene.run(&APPLY).exits(0);
    assert_eq!(scene.org().records("Lead")[0]["WalkMe_City__c"], "München");
}

#[test]
fn utf_16_reads_with_a_mark_and_without_one() {
    let scene = reporting(&utf16(REPORT, true));
    scene.run(&APPLY).exits(0);
    assert_eq!(scene.org().records("Lead")[0]["WalkMe_City__c"], "Graz");
    plans_the_one_record(&reporting(&utf16(REPORT, false)));
    let scene = reporting(&utf16(REPORT, true));
    change(
        &scene,
        "  source: exports/logins-review.csv",
        "  source: { path: exports/logins-review.csv, encoding: windows-1252 }",
    );
    tells("report-encoding-contradicted", &scene, &PLAN, 1, Asks::Nothing);
}

#[test]
fn columns_that_share_a_name_are_told() {
    let scene = reporting(b"User ID,City,First Login,City\nada@example.org,Graz,2026-08-01T09:00:00Z,Linz\n");
    tells("report-duplicate-columns", &scene, &PLAN, 1, Asks::Nothing);
}

#[test]
fn an_absent_column_is_told_with_the_nearest_name() {
    let scene = reporting(b"UserID,First Login,City\nada@example.org,2026-08-01T09:00:00Z,Graz\n");
    tells("report-key-column-absent", &scene, &PLAN, 3, Asks::Nothing);
    let scene = reporting(b"User ID,First login,Town\nada@example.org,2026-08-01T09:00:00Z,Graz\n");
    tells("report-mapped-columns-absent", &scene, &PLAN, 3, Asks::Nothing);
    tells("report-mapped-columns-absent-apply", &scene, &APPLY, 3, Asks::Nothing);
}

#[test]
fn a_gzip_file_reads_and_a_cut_one_is_told() {
    let whole = gz(REPORT.as_bytes());
    plans_the_one_record(&reporting(&whole));
    tells("report-gzip-cut", &reporting(&whole[..whole.len() - 12]), &PLAN, 1, Asks::Nothing);
}

#[test]
fn what_is_no_csv_file_is_told_by_its_kind() {
    let mut xlsx = b"PK\x03\x04\x14\x00\x06\x00\x08\x00\x00\x00!\x00".to_vec();
    xlsx.extend_from_slice(b"A7\x82\xcfn\x01\x00\x00\x04\x05\x00\x00\x13\x00\x08\x02[Content_Types].xml");
    tells("report-xlsx", &reporting(&xlsx), &PLAN, 1, Asks::Nothing);
    tells("report-html", &reporting(b"<!DOCTYPE html>\n<html><title>Log in</title></html>\n"), &PLAN, 1, Asks::Nothing);
    tells("report-nul", &reporting(b"User ID,First Login,City\nada@example.org,\0,Graz\n"), &PLAN, 1, Asks::Nothing);
}

#[test]
fn a_file_that_names_its_delimiter_reads() {
    plans_the_one_record(&reporting(
        b"sep=;\r\nUser ID;First Login;City\r\nada@example.org;2026-08-01T09:00:00Z;Graz\r\n",
    ));
}

#[test]
fn an_unclear_delimiter_is_told_and_may_be_set() {
    let scene = reporting(b"User ID,x;First Login,City\na,b;c,d\ne,f;g,h\n");
    let ran = scene.run(&PLAN);
    assert_ne!(ran.code, 0);
    assert!(scene.org().calls().is_empty());
    golden("report-delimiter", &scene, &PLAN, ran);
}

#[test]
fn lines_before_the_header_are_skipped_where_that_is_said() {
    let preamble = format!("Logins Review\nExported 2026-08-02\n{REPORT}");
    let scene = reporting(preamble.as_bytes());
    tells("report-preamble", &scene, &PLAN, 1, Asks::Nothing);
    change(
        &scene,
        "  source: exports/logins-review.csv",
        "  source: { path: exports/logins-review.csv, skip_lines: 2 }",
    );
    plans_the_one_record(&scene);
}

#[test]
fn a_report_of_another_checksum_is_refused() {
    use sha2::{Digest, Sha256};
    let hex = |bytes: &[u8]| Sha256::digest(bytes).iter().map(|b| format!("{b:02x}")).collect::<String>();
    let scene = good();
    let source = |sum: &str| format!("  source: {{ path: exports/logins-review.csv, checksum: \"sha256:{sum}\" }}");
    change(&scene, "  source: exports/logins-review.csv", &source(&hex(b"another")));
    tells("report-checksum", &scene, &PLAN, 1, Asks::Nothing);
    change(&scene, &hex(b"another"), &hex(REPORT.as_bytes()));
    plans_the_one_record(&scene);
}

#[test]
fn a_declared_column_that_is_absent_is_told() {
    let scene = with(
        "  source: exports/logins-review.csv",
        "  source: exports/logins-review.csv\n  columns:\n    Cty: { type: text }",
    );
    scene.run(&PLAN).exits(0).says("column `Cty` is declared").says("did you mean `City`?");
}

#[test]
fn the_time_zone_of_an_environments_own_source_holds_there() {
    let scene = reporting(b"User ID,First Login,City\nada@example.org,2026-08-01 09:00:00,Graz\n");
    change(
        &scene,
        "  sandbox: {}",
        "  sandbox:\n    source: { path: exports/logins-review.csv, time_zone: Europe/Vienna }",
    );
    scene.run(&APPLY).exits(0);
    let moment = scene.org().records("Lead")[0]["WalkMe_First_Login__c"].as_str().unwrap().to_owned();
    assert!(moment.starts_with("2026-08-01T07:00:00"), "{moment}");
}

fn git(scene: &Scene, arguments: &[&str]) {
    let mut command = Command::new("git");
    command.args(["-c", "user.name=T", "-c", "user.email=t@example.org"]).args(arguments).current_dir(scene.root());
    command.env("HOME", scene.root()).env("GIT_CONFIG_NOSYSTEM", "1");
    assert!(command.output().unwrap().status.success(), "git {arguments:?}");
}

#[test]
fn a_report_tracked_by_git_is_refused_unless_allowed() {
    let scene = good();
    git(&scene, &["init", "-q"]);
    plans_the_one_record(&scene);
    git(&scene, &["add", "exports/logins-review.csv"]);
    tells("report-tracked", &scene, &PLAN, 3, Asks::Nothing);
    tells("report-tracked-apply", &scene, &APPLY, 3, Asks::Nothing);
    change(
        &scene,
        "  source: exports/logins-review.csv",
        "  source: { path: exports/logins-review.csv, allow_tracked: true }",
    );
    plans_the_one_record(&scene);
}

#[cfg(unix)]
#[test]
fn a_link_out_of_the_repository_is_refused() {
    let outside = tempfile::tempdir().unwrap();
    std::fs::write(outside.path().join("report.csv"), REPORT).unwrap();
    let scene = good();
    std::fs::remove_file(scene.path("exports/logins-review.csv")).unwrap();
    std::os::unix::fs::symlink(outside.path().join("report.csv"), scene.path("exports/logins-review.csv")).unwrap();
    tells("report-link-out", &scene, &PLAN, 3, Asks::Nothing);
    std::fs::remove_file(scene.path("exports/logins-review.csv")).unwrap();
    std::os::unix::fs::symlink("nowhere.csv", scene.path("exports/logins-review.csv")).unwrap();
    tells("report-link-nowhere", &scene, &PLAN, 3, Asks::Nothing);
}

#[test]
fn paths_that_leave_the_repository_are_refused_where_they_are_written() {
    for (name, path) in [
        ("report-path-parent", "../secrets.csv"),
        ("report-path-absolute", "/etc/passwd"),
        ("report-path-private", ".git/config"),
    ] {
        tells(name, &with("exports/logins-review.csv", path), &PLAN, 3, Asks::Nothing);
    }
    tells(
        "report-path-url",
        &with("exports/logins-review.csv", "http://insights.example/logins.csv"),
        &PLAN,
        3,
        Asks::Nothing,
    );
}

#[cfg(unix)]
#[test]
fn a_report_that_may_not_be_read_is_told() {
    use std::os::unix::fs::PermissionsExt;
    let scene = good();
    let path = scene.path("exports/logins-review.csv");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o000)).unwrap();
    // For root nothing is forbidden.
    if std::fs::File::open(&path).is_err() {
        tells("report-forbidden", &scene, &PLAN, 1, Asks::Nothing);
    }
}
