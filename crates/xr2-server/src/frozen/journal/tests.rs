use super::*;

fn secret() -> SecretKey {
    SecretKey::from_hex(&"a".repeat(64)).unwrap()
}

fn cut(key: u128, revision: i64, seconds: i64) -> Cut {
    let ends_at = Time::from_timestamp(1_800_000_000 + seconds, 0).unwrap();
    Cut { subject: Subject::Key(Uuid::from_u128(key)), workspace: Uuid::nil(), revision, ends_at }
}

fn place() -> (tempfile::TempDir, PathBuf) {
    let directory = tempfile::TempDir::new().unwrap();
    let path = directory.path().join("revoked");
    (directory, path)
}

fn open(path: &Path) -> Journal {
    open_after(path, 0).unwrap()
}

fn open_after(path: &Path, known: u64) -> Result<Journal, Damage> {
    Journal::open(path.to_owned(), &secret(), known).unwrap()
}

fn end(journal: &Journal, key: u128, revision: i64) -> Option<Time> {
    journal.end_of(Uuid::nil(), Subject::Key(Uuid::from_u128(key)), revision)
}

#[test]
fn what_was_cut_stays_cut() {
    let (_directory, path) = place();
    open(&path).append(&[cut(1, 5, 9), cut(2, 6, 0)]).unwrap();
    open(&path).append(&[cut(1, 7, 3)]).unwrap();
    let journal = open(&path);
    assert_eq!(end(&journal, 1, 4), Some(cut(1, 7, 3).ends_at), "the earliest end counts");
    assert_eq!(end(&journal, 2, 5), Some(cut(2, 6, 0).ends_at));
    let later = (end(&journal, 1, 7), end(&journal, 2, 6), end(&journal, 3, 0));
    assert_eq!(later, (None, None, None), "a later snapshot knows better");
}

#[test]
fn a_file_that_was_cut_or_changed_anywhere_is_noticed() {
    let (_directory, path) = place();
    open(&path).append(&[cut(1, 5, 0), cut(2, 5, 0)]).unwrap();
    let whole = std::fs::read(&path).unwrap();
    for at in 0..whole.len() {
        // Without any byte it might be one in the form of old, but for what is known of it.
        std::fs::write(&path, &whole[..at]).unwrap();
        assert!(open_after(&path, 1).is_err(), "cut at {at}");
        let mut changed = whole.clone();
        changed[at] ^= 1;
        std::fs::write(&path, &changed).unwrap();
        assert!(open_after(&path, 1).is_err(), "changed at {at}");
    }
    std::fs::write(&path, b"nonsense\n").unwrap();
    assert_eq!(open_after(&path, 0).err(), Some(Damage::Broken));
    std::fs::write(&path, &whole).unwrap();
    assert!(end(&open_after(&path, 1).unwrap(), 2, 4).is_some());
}

#[test]
fn a_file_that_is_gone_or_an_older_one_is_noticed() {
    let (_directory, path) = place();
    let journal = open(&path);
    journal.settle().unwrap();
    assert_eq!(journal.number(), 1, "an empty one is missed as well");
    let older = std::fs::read(&path).unwrap();
    journal.append(&[cut(1, 5, 0)]).unwrap();
    journal.settle().unwrap();
    assert_eq!(journal.number(), 2);
    std::fs::write(&path, &older).unwrap();
    assert_eq!(open_after(&path, 2).err(), Some(Damage::Outdated));
    std::fs::remove_file(&path).unwrap();
    assert_eq!(open_after(&path, 2).err(), Some(Damage::Outdated));
    assert!(open_after(&path, 0).is_ok(), "there never was one");
    let other = SecretKey::from_hex(&"b".repeat(64)).unwrap();
    Journal::open(path.clone(), &other, 0).unwrap().unwrap().append(&[cut(1, 5, 0)]).unwrap();
    assert_eq!(open_after(&path, 2).err(), Some(Damage::Outdated), "another instance's");
    assert!(end(&open(&path), 1, 4).is_none());
}

#[test]
fn one_that_cannot_be_used_stays_so_until_it_is_written_anew() {
    let (_directory, path) = place();
    let journal = Journal::without_past(path.clone(), &secret(), 7);
    journal.append(&[cut(1, 5, 0)]).unwrap();
    journal.settle().unwrap();
    journal.forget_up_to(Uuid::nil(), 0).unwrap();
    assert!(!path.exists() && open_after(&path, 7).is_err());
    assert_eq!(journal.number(), 7, "it goes on being missed");
    assert!(end(&journal, 1, 4).is_some(), "it counts meanwhile");
    journal.rewrite().unwrap();
    assert!(end(&open_after(&path, 7).unwrap(), 1, 4).is_some());
    journal.append(&[cut(2, 6, 0)]).unwrap();
    assert!(end(&open_after(&path, 9).unwrap(), 2, 4).is_some());
}

#[test]
fn a_file_that_is_not_sealed_is_not_believed() {
    let (_directory, path) = place();
    std::fs::write(&path, br#"{"number":1,"cuts":[]}"#.repeat(10)).unwrap();
    assert_eq!(open_after(&path, 0).err(), Some(Damage::Broken));
}

#[test]
fn two_processes_on_one_directory_lose_nothing_of_each_other() {
    let (_directory, path) = place();
    let (one, other) = (open(&path), open(&path));
    one.append(&[cut(1, 5, 0)]).unwrap();
    other.append(&[cut(2, 6, 0)]).unwrap();
    one.append(&[cut(3, 7, 0)]).unwrap();
    let journal = open_after(&path, 3).unwrap();
    assert!((1..=3).all(|key| end(&journal, key, 4).is_some()));
}

#[test]
fn what_is_told_again_is_written_once() {
    let (_directory, path) = place();
    let journal = open(&path);
    journal.note(&cut(1, 5, 0));
    journal.append(&[cut(1, 5, 0)]).unwrap();
    // As the follower tells it: with the time at which it happened.
    journal.note(&cut(1, 5, 7));
    journal.append(&[cut(1, 5, 7)]).unwrap();
    assert_eq!(journal.number(), 1);
    assert_eq!(open(&path).book().in_file, 1);
    assert_eq!(end(&journal, 1, 4), Some(cut(1, 5, 0).ends_at));
}

#[test]
fn the_file_does_not_grow_for_ever() {
    let (_directory, path) = place();
    let journal = open(&path);
    for revision in 1..=300_i64 {
        journal.append(&[cut(u128::from(revision.unsigned_abs()), revision, 0)]).unwrap();
    }
    journal.forget_up_to(Uuid::nil(), 290).unwrap();
    assert_eq!(open(&path).book().in_file, 10);
}
