//! Block devices, copied as a stream.

use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use ark_volume::file::{Control, FileError, RestoreOptions, Source, Target};

use crate::disk::Disk;
use crate::store::directory;
use crate::{noise, options, repository, try_restore};

const MIB: usize = 1 << 20;

fn write(path: &Path, bytes: &[u8], offset: usize) {
    let file = File::options().write(true).open(path).unwrap();
    file.write_all_at(bytes, offset as u64).unwrap();
    file.sync_all().unwrap();
}

fn read(path: &Path, length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    File::open(path)
        .unwrap()
        .read_exact_at(&mut bytes, 0)
        .unwrap();
    bytes
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_comes_back_on_a_larger_one_that_was_used_before() {
    let (_dir, store) = directory().await;
    let (from, to) = (Disk::new(48 << 20), Disk::new(64 << 20));
    write(from.path(), &noise(1, 3 * MIB), 0);
    write(from.path(), &noise(2, 3 * MIB), 30 * MIB);
    write(to.path(), &noise(9, 64 * MIB), 0);
    let repository = repository(store).await;
    let source = Source::Device(from.path().to_owned());
    let control = Control::default();
    let copied = repository
        .back_up(&source, &options(), &control)
        .await
        .unwrap();
    assert_eq!(
        (control.progress.total(), control.progress.done()),
        (48 << 20, 48 << 20)
    );
    assert_eq!(copied.snapshot.bytes, 48 << 20);
    assert!(
        copied.snapshot.added < 8 << 20,
        "zeros are stored: {copied:?}"
    );

    let target = Target::Device(to.path().to_owned());
    let (how, control) = (RestoreOptions::default(), Control::default());
    let restored = repository.restore(copied.snapshot.id, &target, &how, &control);
    assert_eq!(restored.await.unwrap().written, 48 << 20);
    assert_eq!(control.progress.done(), 48 << 20);
    let bytes = read(to.path(), 64 * MIB);
    assert!(bytes[..48 * MIB] == read(from.path(), 48 * MIB));
    assert!(
        bytes[48 * MIB..] == noise(9, 64 * MIB)[48 * MIB..],
        "what is behind it stays"
    );

    // Once more, after a little was lost.
    write(to.path(), &[7; 100], 31 * MIB);
    let again = try_restore(&repository, copied.snapshot.id, &target, &how);
    let again = again.await.unwrap();
    assert!(again.written <= 8 << 20, "{again:?}");
    assert_eq!(again.written + again.kept, 48 << 20);
    assert!(read(to.path(), 48 * MIB) == read(from.path(), 48 * MIB));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_that_is_too_small_is_left_as_it_is() {
    let (_dir, store) = directory().await;
    let (from, to) = (Disk::new(8 << 20), Disk::new(4 << 20));
    write(from.path(), &noise(1, 8 * MIB), 0);
    write(to.path(), &noise(2, 4 * MIB), 0);
    let repository = repository(store).await;
    let source = Source::Device(from.path().to_owned());
    let copied = repository
        .back_up(&source, &options(), &Control::default())
        .await
        .unwrap();
    let target = Target::Device(to.path().to_owned());
    let how = RestoreOptions::default();
    let refused = try_restore(&repository, copied.snapshot.id, &target, &how);
    let refused = refused.await.unwrap_err();
    assert!(
        matches!(
            refused,
            FileError::TooSmall {
                has: 4_194_304,
                needs: 8_388_608,
                ..
            }
        ),
        "{refused}"
    );
    assert!(read(to.path(), 4 * MIB) == noise(2, 4 * MIB));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_that_cannot_be_read_to_its_end_makes_no_snapshot() {
    let (_dir, store) = directory().await;
    let from = Disk::new(16 << 20);
    write(from.path(), &noise(1, 16 * MIB), 0);
    from.break_behind(10 << 20);
    let repository = repository(store).await;
    let source = Source::Device(from.path().to_owned());
    let failed = repository
        .back_up(&source, &options(), &Control::default())
        .await
        .unwrap_err();
    let said = failed.to_string();
    assert!(said.contains(from.path().to_str().unwrap()), "{said}");
    assert!(said.contains("Input/output error"), "{said}");
    assert_eq!(repository.snapshots().await.unwrap(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_copy_of_a_directory_is_none_of_a_device() {
    let (_dir, store) = directory().await;
    let (from, to) = (tempfile::tempdir().unwrap(), Disk::new(4 << 20));
    std::fs::write(from.path().join("a"), "a").unwrap();
    let repository = repository(store).await;
    let copied = crate::copy(&repository, from.path()).await;
    let target = Target::Device(to.path().to_owned());
    let how = RestoreOptions::default();
    let refused = try_restore(&repository, copied.snapshot.id, &target, &how);
    let said = refused.await.unwrap_err().to_string();
    assert_eq!(
        said,
        "the snapshot has no stream of a device; it has `/volume`"
    );
}
