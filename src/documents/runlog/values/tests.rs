use std::path::Path;

use super::format::Written;
use super::*;
use crate::plan::JsonLine;
use crate::plan::RowOutcome;
use crate::runlog::sample;

fn head() -> Head {
    let header = sample::plan().header.clone();
    Head {
        format: FORMAT.to_owned(),
        run: "2026-11-22T080003Z".to_owned(),
        integration: header.integration,
        object: header.object,
        org: header.org,
        environment: header.environment,
        org_id: header.org_id,
        commit: None,
        fields: header.fields.into_iter().map(|f| (f.field, f.field_type)).collect(),
        changes: crate::model::Digest::of(b"x"),
        salt: "salt".to_owned(),
    }
}

fn written(place: &Place, after: bool) -> Kept {
    let mut writer = Writer::start(place, &head(), after).unwrap();
    for entry in sample::plan().entries() {
        let entry = entry.unwrap();
        if entry.outcome == RowOutcome::Planned {
            writer.entry(&entry).unwrap();
        }
    }
    writer.finish().unwrap()
}

fn read(path: &Path, key: Option<&age::x25519::Identity>) -> Result<Vec<RecordValues>, ValuesProblem> {
    Reader::open(path, key)?.collect()
}

fn expected(after: bool) -> Vec<RecordValues> {
    sample::plan()
        .planned()
        .collect::<Result<Vec<_>, _>>()
        .unwrap()
        .iter()
        .filter_map(|e| RecordValues::of(e, after, "salt"))
        .collect()
}

fn sealed(folder: &Path, key: &age::x25519::Identity) -> Place {
    let recipients = vec![Recipient::parse(&key.to_public().to_string()).unwrap()];
    Place::Committed { runs: folder.to_owned(), recipients }
}

#[test]
fn values_come_back_as_they_went_in_from_both_places() {
    let folder = tempfile::tempdir().unwrap();
    let key = age::x25519::Identity::generate();
    for (place, name) in [(Place::Local(folder.path().join("v")), "jsonl"), (sealed(folder.path(), &key), "age")] {
        for after in [true, false] {
            let kept = written(&place, after);
            assert!(kept.path.extension().is_some_and(|e| e == name), "{}", kept.path.display());
            assert_eq!(read(&kept.path, Some(&key)).unwrap(), expected(after));
            assert_eq!(kept.records, expected(after).len() as u64);
            #[cfg(unix)]
            {
                use std::os::unix::fs::PermissionsExt as _;
                assert_eq!(std::fs::metadata(&kept.path).unwrap().permissions().mode() & 0o777, 0o600);
            }
            let left = std::fs::read_dir(kept.path.parent().unwrap()).unwrap().count();
            assert_eq!(left, 1, "nothing unfinished stays");
            std::fs::remove_file(&kept.path).unwrap();
        }
    }
}

#[test]
fn every_cut_and_every_changed_byte_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let key = age::x25519::Identity::generate();
    for place in [Place::Local(folder.path().join("v")), sealed(folder.path(), &key)] {
        let path = written(&place, true).path;
        let whole = std::fs::read(&path).unwrap();
        for cut in (0..whole.len()).step_by(7) {
            std::fs::write(&path, &whole[..cut]).unwrap();
            assert!(read(&path, Some(&key)).is_err(), "cut at {cut}");
        }
        for at in 0..whole.len() {
            let mut wrong = whole.clone();
            wrong[at] ^= 1;
            std::fs::write(&path, &wrong).unwrap();
            assert!(read(&path, Some(&key)).is_err(), "byte {at}");
        }
        let mut longer = whole.clone();
        longer.extend_from_slice(b"{}\n");
        std::fs::write(&path, longer).unwrap();
        assert!(read(&path, Some(&key)).is_err());
    }
}

#[test]
fn the_wrong_key_and_none_are_told_apart_and_no_value_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let key = age::x25519::Identity::generate();
    let path = written(&sealed(folder.path(), &key), true).path;
    assert!(matches!(read(&path, None), Err(ValuesProblem::NoKey { .. })));
    let other = age::x25519::Identity::generate();
    let problem = read(&path, Some(&other)).unwrap_err();
    assert!(problem.to_string().contains(&other.to_public().to_string()), "{problem}");
    let bytes = std::fs::read(&path).unwrap();
    for record in expected(true) {
        let id = record.id.as_str().as_bytes();
        assert!(!bytes.windows(id.len()).any(|w| w == id));
    }
}

#[test]
fn a_writer_that_is_dropped_leaves_nothing_and_no_file_is_written_over() {
    let folder = tempfile::tempdir().unwrap();
    let place = Place::Local(folder.path().to_owned());
    drop(Writer::start(&place, &head(), true).unwrap());
    let path = place.path(&head().integration, head().org_id, &head().run);
    assert_eq!(std::fs::read_dir(path.parent().unwrap()).unwrap().count(), 0);
    written(&place, true);
    let again = Writer::start(&place, &head(), true).unwrap().finish();
    assert!(matches!(again, Err(ValuesProblem::Io { .. })));
}

#[test]
fn values_are_found_by_their_runs_id_and_an_id_leads_nowhere_else() {
    let folder = tempfile::tempdir().unwrap();
    let (values, runs) = (folder.path().join("values"), folder.path().join("runs"));
    let (name, org) = (head().integration, head().org_id);
    let store = crate::runlog::Store::open(&runs);
    let log = committed(&runs, &name, org, "2026-11-22T080003Z").with_file_name("2026-11-22T080003Z.yaml");
    let find = |run: &str| store.values(&values, &log, (&name, org, run));
    assert!(find("2026-11-22T080003Z").is_none());
    written(&Place::Local(values.clone()), true);
    assert!(find("2026-11-22T080003Z").is_some());
    assert!(find("../2026-11-22T080003Z").is_none());
}

#[test]
fn a_log_names_the_values_of_a_run_of_its_own_start_alone() {
    let (log, _) = sample::run();
    let stamp = crate::runlog::stamp(log.start);
    let own = format!("{stamp}-2");
    for (file, found) in [
        (format!("{stamp}.values.age"), stamp.clone()),
        (format!("{stamp}.jsonl"), stamp.clone()),
        (format!("{stamp}-3.jsonl"), format!("{stamp}-3")),
        (format!("{stamp}.yaml"), own.clone()),
        (format!("{stamp}-x.jsonl"), own.clone()),
        (format!("{stamp}/../x.jsonl"), own.clone()),
        (format!("../{stamp}.jsonl"), own.clone()),
        ("2020-01-01T000000Z.jsonl".to_owned(), own.clone()),
    ] {
        let note = crate::runlog::ValuesNote { file: Some(file.clone()), ..crate::runlog::ValuesNote::none() };
        let log = crate::runlog::RunLog { id: own.clone(), values: Some(note), ..log.clone() };
        assert_eq!(log.values_id(), found, "{file}");
    }
}

#[test]
fn what_was_written_is_known_again_by_value_and_by_digest() {
    for after in [true, false] {
        for (entry, values) in
            sample::plan().planned().collect::<Result<Vec<_>, _>>().unwrap().iter().zip(expected(after))
        {
            assert_eq!(values.after.is_some(), after);
            for cell in &entry.cells {
                assert_eq!(values.wrote("salt", &cell.field, cell.after.as_deref()), Some(true));
                assert_eq!(values.wrote("salt", &cell.field, Some("something else")), Some(false));
                assert_eq!(values.wrote("salt", &"Other__c".into(), None), None);
            }
        }
    }
}

#[test]
fn what_is_no_recipient_is_refused() {
    for text in ["", "age1", "ssh-ed25519 AAAA", "AGE-SECRET-KEY-1QQ", "age1yubikey1qq"] {
        assert!(Recipient::parse(text).is_err(), "{text}");
    }
}

#[test]
fn a_record_is_written_as_serde_would() {
    for mut entry in sample::plan().planned().map(Result::unwrap) {
        // A mapping sorts its fields; the file has them in the plan's order.
        entry.cells.truncate(1);
        for after in [true, false] {
            let mut line = JsonLine::default();
            Written { id: entry.record.unwrap(), entry: &entry, after, salt: "salt" }.put(&mut line);
            let record = RecordValues::of(&entry, after, "salt").unwrap();
            assert_eq!(line.bytes(), serde_json::to_vec(&record).unwrap());
        }
    }
}
