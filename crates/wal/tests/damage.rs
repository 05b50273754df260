//! Damaged bytes are refused, never trusted: readers of records and pages do not panic whatever they are given.

use std::sync::Arc;

use base::{BlockNumber, Lsn, Oid, RelFileLocator, TimelineId};
use storage::vfs::OpenMode;
use storage::{BufferTag, Page, RealVfs, Vfs, critical};
use wal::bootstrap::{NewCluster, create, initial_checkpoint};
use wal::control::{Control, Parameters};
use wal::insert::{Compression, LogEnd};
use wal::reader::{Next, Reader};
use wal::{Record, RecordBuilder, RegBuf, RmgrId, Wal, WalOptions, redo, xlog};

struct Random(u64);
impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % n
    }
}

fn sample_page(n: u32) -> Box<Page> {
    let mut page = Page::boxed();
    page.init(0);
    for i in 0..n {
        page.add_item(&i.to_le_bytes().repeat(7), storage::page::AddItem::Anywhere);
    }
    page
}

fn records(wal: &Wal, from: Lsn) -> Vec<Record> {
    let mut reader = Reader::new(Arc::clone(wal.vfs()), wal.segments(), TimelineId(1), 4711);
    reader.seek(from);
    let mut records = Vec::new();
    while let Next::Record(record) = reader.next().unwrap() {
        records.push(*record);
    }
    records
}

#[test]
fn images_come_back_and_damage_does_not_panic() {
    let root = std::env::temp_dir().join(format!("tusk-wal-damage-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&root);
    std::fs::create_dir_all(&root).unwrap();
    let vfs: Arc<dyn Vfs> = Arc::new(RealVfs::new(&root));
    for dir in ["global", "pg_wal"] {
        vfs.create_dir_all(dir).unwrap();
    }
    let new = NewCluster {
        system_identifier: 4711,
        nonce: [1; 32],
        segment_size: 1 << 20,
        checksums: true,
        parameters: Parameters::default(),
        checkpoint: initial_checkpoint(Oid(16384)),
    };
    create(&*vfs, &new).unwrap();
    let control = Arc::new(Control::open(Arc::clone(&vfs)).unwrap());
    let options = WalOptions { buffers: 16, compression: Compression::Lz4, ..WalOptions::default() };
    let wal = Wal::new(Arc::clone(&vfs), Arc::clone(&control), options);
    let from = control.get().checkpoint;
    let end = records(&wal, from)[0].end;
    wal.start_inserting(LogEnd { tli: TimelineId(1), end, prev: from, aborted_contrecord: None }).unwrap();
    let locator = RelFileLocator { spc: Oid(1663), db: Oid(5), rel: Oid(16384) };
    let pages: Vec<_> = (0..40).map(|n| sample_page(n * 5)).collect();
    for (n, page) in pages.iter().enumerate() {
        let tag = BufferTag::main(locator, BlockNumber(n as u32));
        let flags = RegBuf::FORCE_IMAGE | RegBuf::KEEP_DATA | if n % 2 == 0 { RegBuf::STANDARD } else { RegBuf::NONE };
        let record = RecordBuilder::new(RmgrId::XLOG, xlog::FPI)
            .main_data(&vec![n as u8; n * 17])
            .register_block(0, tag, page, flags)
            .buffer_data(0, b"data");
        critical(|section| wal.insert(section, record));
    }
    wal.flush(wal.insert_position()).unwrap();
    let read = records(&wal, from);
    assert_eq!(read.len(), 41);
    for (record, page) in read[1..].iter().zip(&pages) {
        let mut restored = Page::boxed();
        redo::restore_image(record, 0, &mut restored).unwrap();
        assert_eq!(restored.bytes(), page.bytes());
        assert_eq!(record.block_data(0), b"data");
    }
    // Flipped bytes anywhere: the reader ends early, or sees what a checksum cannot; it never panics.
    let path = "pg_wal/000000010000000000000001";
    let good = vfs.read_file(path).unwrap();
    let mut random = Random(7);
    for _ in 0..300 {
        let mut bad = good.clone();
        for _ in 0..1 + random.below(4) {
            let at = random.below((wal.insert_position().0 as usize) % (1 << 20));
            bad[at] = random.below(256) as u8;
        }
        vfs.open(path, OpenMode::ReadWrite).unwrap().write_all_at(&bad, 0).unwrap();
        let n = records(&wal, from).len();
        assert!(n <= 41);
        let mut reader = Reader::new(Arc::clone(&vfs), wal.segments(), TimelineId(1), 4711);
        let _ = reader.seek_from(Lsn((1 << 20) + 8192 * random.below(4) as u64)).unwrap();
    }
    // The same without a checksum in the way.
    for _ in 0..20_000 {
        let n = random.below(400);
        let bytes: Vec<u8> =
            (0..n).map(|_| [0, 1, 16, 32, 255, 254, random.below(256) as u8][random.below(7)]).collect();
        if let Ok(record) = Record::decode(&bytes, Lsn(1), Lsn(2)) {
            for block in &record.blocks {
                let _ = redo::restore_image(&record, block.id, &mut Page::boxed());
            }
        }
    }
    std::fs::remove_dir_all(&root).unwrap();
}
