//! Recordings as the lab opens them: the short form says what happened and why somebody had to wait.

#[path = "../../examples/lab/recording/mod.rs"]
mod recording;

use crate::kit::*;
use std::fs;
use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use tripoll::poller::AnyPoller;
use tripoll::reactor::{Clock, Hand, Reactor, Recorder, Stream};
use tripoll::{Backend, Context, Dispatcher, EventLoop, Token, Trigger};

/// A file that is gone in the end.
struct Fresh(PathBuf);

impl Fresh {
    fn with(content: &[u8]) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("tripoll-opened-{}-{count}.json", std::process::id()));
        fs::write(&path, content).unwrap();
        Self(path)
    }

    fn opened(&self) -> Result<String, String> {
        recording::open(&self.0, None)
    }
}

impl Drop for Fresh {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

/// Takes as many milliseconds as the byte it reads says, and is paused for 100 by a zero.
struct Slow;

impl Dispatcher for Slow {
    type Shared = Hand;
    type Spawn = Self;

    fn handle_read(&mut self, cx: &mut Context<'_, Self>, hand: &mut Hand) -> io::Result<()> {
        for byte in cx.recv()? {
            hand.advance(Duration::from_millis(u64::from(*byte)));
        }
        Ok(())
    }
}

struct Scene {
    event_loop: EventLoop<Slow>,
    hand: Hand,
    memory: Memory,
    members: Vec<(Token, UnixStream)>,
}

/// A loop by hand with so many sources, which is recorded.
fn scene(members: usize) -> Scene {
    let memory = Memory::default();
    let (clock, hand) = Clock::by_hand();
    let reactor =
        Reactor::with_clock(AnyPoller::new(Backend::Epoll).unwrap(), settings(Trigger::Level), clock).unwrap();
    let mut event_loop = EventLoop::on(reactor, hand.clone());
    event_loop.record(Recorder::new(memory.clone()));
    let join = |_| {
        let (ours, theirs) = UnixStream::pair().unwrap();
        (event_loop.adopt(Stream::from(ours), Slow).unwrap(), theirs)
    };
    let members = (0..members).map(join).collect();
    Scene { event_loop, hand, memory, members }
}

impl Scene {
    fn write(&mut self, who: usize, bytes: &[u8]) {
        self.members[who].1.write_all(bytes).unwrap();
    }

    fn end(mut self) -> Fresh {
        finished(self.event_loop.stop_recording().unwrap());
        Fresh::with(&self.memory.bytes())
    }
}

#[test]
fn it_says_whose_callback_another_had_to_wait_for() {
    let mut scene = scene(2);
    scene.event_loop.turn(None).unwrap();
    scene.write(0, &[40]);
    scene.write(1, &[1]);
    scene.event_loop.turn(None).unwrap();
    let (slow, late) = (scene.members[0].0, scene.members[1].0);
    let told = scene.end().opened().unwrap();
    for line in [
        format!("longest callback  40.0 ms: read of {slow}, at 0 ns"),
        format!("longest wait      40.0 ms from ready to its callback: {late}, at 0 ns"),
        format!("1. at 0 ns: {late} waited 40.0 ms for the callback read of {slow} to return"),
        "turns             3, the longest 41.0 ms".to_owned(),
        "events per turn   1.0, at most 2; 1 waits brought nothing".to_owned(),
        "sources           2: 2 unix".to_owned(),
        "reads and writes  2 with 2 bytes, 0 with 0 bytes".to_owned(),
    ] {
        assert!(told.contains(&line), "{line:?} is not in:\n{told}");
    }
    assert!(!told.contains("2. "), "there is one gap:\n{told}");
}

#[test]
fn it_tells_many_callbacks_pauses_and_queues_apart() {
    let mut many = scene(9);
    for who in 0..9 {
        many.write(who, &[5]);
    }
    many.event_loop.turn(None).unwrap();
    let last = many.members[8].0;
    let told = many.end().opened().unwrap();
    let line =
        format!("1. at 0 ns: {last} waited 40.0 ms for 8 callbacks of others to return, the longest 5.00 ms, read of ");
    assert!(told.contains(&line), "{told}");

    let mut idle = scene(2);
    idle.write(0, &[0]);
    idle.write(1, &[0]);
    let (first, late) = (idle.members[0].0, idle.members[1].0);
    idle.event_loop.reactor().turn(None).unwrap();
    // What a process sees that does not get a processor: nothing, and it is late.
    idle.hand.advance(Duration::from_millis(9));
    idle.event_loop.turn(None).unwrap();
    let told = idle.end().opened().unwrap();
    for token in [first, late] {
        let line = format!("{token} waited 9.00 ms, of these 9.00 ms before any callback: the process did not run");
        assert!(told.contains(&line), "{told}");
    }

    let mut queued = scene(1);
    let token = queued.members[0].0;
    let large = vec![7; 900_000];
    queued.event_loop.enter(|scope, _| scope.send_to(token, &large)).unwrap();
    queued.event_loop.turn(None).unwrap();
    queued.hand.advance(Duration::from_millis(70));
    let peer = &mut queued.members[0].1;
    peer.set_nonblocking(true).unwrap();
    let mut got = 0;
    while got < large.len() {
        let mut buf = vec![0; 65_536];
        while let Ok(read @ 1..) = peer.read(&mut buf) {
            got += read;
        }
        queued.event_loop.turn(None).unwrap();
    }
    let told = queued.end().opened().unwrap();
    let line = format!("{token} had bytes queued for 70.0 ms: the kernel took no more, as the peer did not read");
    assert!(told.contains(&line), "{told}");

    let mut paused = scene(1);
    let token = paused.members[0].0;
    paused.event_loop.turn(None).unwrap();
    paused.write(0, &[0]);
    paused.event_loop.reactor().turn(None).unwrap();
    paused.event_loop.reactor().ledger().pause(token).unwrap();
    while paused.event_loop.reactor().pop().is_some() {}
    paused.event_loop.turn(None).unwrap();
    paused.hand.advance(Duration::from_millis(30));
    paused.event_loop.reactor().ledger().resume(token).unwrap();
    paused.event_loop.turn(None).unwrap();
    let told = paused.end().opened().unwrap();
    let line = format!("{token} was not listened to for 30.0 ms: it was paused, or held back for a slow receiver");
    assert!(told.contains(&line), "{told}");
}

#[test]
fn a_file_that_was_cut_off_anywhere_is_opened_as_far_as_it_goes() {
    let mut scene = scene(2);
    for _ in 0..3 {
        scene.write(0, &[3]);
        scene.event_loop.turn(None).unwrap();
    }
    finished(scene.event_loop.stop_recording().unwrap());
    let whole = scene.memory.bytes();
    let mut opened = 0;
    for end in (0..whole.len() - 3).rev().step_by(7) {
        match Fresh::with(&whole[..end]).opened() {
            Ok(told) => {
                assert!(told.contains("the file was cut off"), "{told}");
                opened += 1;
            }
            // So short that there is nothing in it.
            Err(e) => assert!(e.contains("is no recording of a loop: "), "{e}"),
        }
    }
    assert!(opened > whole.len() / 7 * 3 / 4, "{opened} of {} were opened", whole.len() / 7);
}

#[test]
fn what_is_no_recording_is_refused_in_one_line() {
    for (content, what) in [
        (&b"hello"[..], "expected value at line 1 column 1"),
        (b"{}", "expected a sequence"),
        (b"[]", "there is no turn in it; make one with --record FILE"),
        (b"[{\"ph\":\"X\",\"name\":\"other\"}]", "there is no turn in it"),
        (b"[{\"ph\":3}]", "invalid type: integer `3`"),
        (b"", "EOF while parsing"),
    ] {
        let error = Fresh::with(content).opened().unwrap_err();
        assert!(error.contains(what) && error.lines().count() == 1, "{error}");
    }
    let error = recording::open("/no/such/file".as_ref(), None).unwrap_err();
    assert!(error.starts_with("cannot open /no/such/file: "), "{error}");
    let error = Fresh::with(b"\xff\xfe").opened().unwrap_err();
    assert!(error.starts_with("cannot read "), "{error}");
}

#[test]
fn the_page_stands_alone_and_has_what_the_short_form_says() {
    let mut scene = scene(50);
    for who in 0..50 {
        scene.write(who, &[1, 2, 3]);
    }
    scene.event_loop.turn(None).unwrap();
    let file = scene.end();
    let page = Fresh::with(b"");
    let told = recording::open(&file.0, Some(&page.0)).unwrap();
    let html = fs::read_to_string(&page.0).unwrap();
    assert!(html.starts_with("<!DOCTYPE html>"));
    for line in told.lines().filter(|line| !line.starts_with("the longest gaps")) {
        let told = line.split_once(": ").map_or(line, |(_, told)| told);
        assert!(html.contains(told), "{told} is not in the page");
    }
    for outside in ["http://", "https://", "src=", "<link", "@import", "url("] {
        assert!(!html.contains(outside), "the page reaches out: {outside}");
    }
    assert!(html.contains("The 40 busiest of 50 sources have a lane."));
    let (_, rest) = html.split_once("id=\"data\">").unwrap();
    let (json, _) = rest.split_once("</script>").unwrap();
    let data: serde_json::Value = serde_json::from_str(json).unwrap();
    let lanes = data["lanes"].as_array().unwrap();
    assert_eq!(lanes.len(), 41);
    assert_eq!(lanes[0]["name"], "loop");
    let inside = |at: &serde_json::Value| at.as_u64().unwrap() <= data["length"].as_u64().unwrap();
    for lane in lanes {
        let spans = lane["spans"].as_array().unwrap();
        assert!(spans.iter().all(|span| inside(&span[0]) && inside(&span[1])), "{lane}");
        assert!(lane["moments"].as_array().unwrap().iter().all(|moment| inside(&moment[0])), "{lane}");
    }
    assert_eq!(data["gaps"].as_array().unwrap().len(), 5);
    let error = recording::open(&file.0, Some("/no/such/page.html".as_ref())).unwrap_err();
    assert!(error.starts_with("cannot write /no/such/page.html: "), "{error}");
}
