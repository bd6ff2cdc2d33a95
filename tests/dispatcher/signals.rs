//! Signals as events of the loop. Each test runs in a process of its own, because a signal concerns the whole process.

use crate::kernel;
use crate::probe::*;
use crate::support::{BOUND, every_backend};
use std::env;
use std::io::{self, Read};
use std::os::unix::net::UnixStream;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use tripoll::dispatcher::Outcome;
use tripoll::dispatcher::signals::{SIGHUP, SIGINT, SIGTERM, SIGUSR1, SIGUSR2};
use tripoll::reactor::Reason;
use tripoll::{Backend, Trigger};

every_backend!(
    a_signal_is_an_event_of_the_loop,
    signals_in_quick_succession_are_told_once,
    each_signal_has_its_own_call_and_may_have_several,
    a_signal_can_begin_a_shutdown_and_calls_nobody_else,
    watching_does_not_keep_the_loop_running,
    a_signal_ends_a_wait_of_the_loop,
    a_call_that_panics_is_called_again,
    signals_that_cannot_be_handled_are_refused,
    closing_everything_leaves_the_signals_watched,
    a_signal_handler_dies_with_its_loop,
    writing_to_a_peer_that_is_gone_does_not_kill_the_process,
);

/// Set in the child process: which test it is to run.
const CHILD: &str = "TRIPOLL_TEST_CHILD";

/// Runs the rest of a test in a process in which nothing else runs.
fn alone(test: impl FnOnce()) {
    let name = thread::current().name().expect("tests have names").to_owned();
    if env::var(CHILD).is_ok_and(|child| child == name) {
        return test();
    }
    let mut child = Command::new(env::current_exe().unwrap())
        .args(["--exact", &name, "--nocapture", "--test-threads=1"])
        .env(CHILD, &name)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let (mut output, mut errors) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
    let (ended, ending) = mpsc::channel();
    let reader = thread::spawn(move || {
        let mut said = String::new();
        output.read_to_string(&mut said).unwrap();
        errors.read_to_string(&mut said).unwrap();
        // The test may have lost its patience meanwhile.
        let _ = ended.send(());
        said
    });
    if ending.recv_timeout(BOUND).is_err() {
        child.kill().unwrap();
    }
    let said = reader.join().unwrap();
    let status = child.wait().unwrap();
    assert!(status.success() && said.contains("1 passed"), "{status}: {said}");
}

fn a_signal_is_an_event_of_the_loop(backend: Backend) {
    alone(|| {
        let mut event_loop = probes(backend, Trigger::Level);
        let remote = event_loop.remote();
        event_loop.on_signal(SIGTERM, |_, world| world.count += 1).unwrap();
        for count in 1..=3 {
            kernel::raise(SIGTERM);
            turn_until(&mut event_loop, "the signal", |world| world.count == count);
        }
        idle_turns(&mut event_loop);
        assert_eq!(event_loop.shared().count, 3);
        drop(remote);
    });
}

fn signals_in_quick_succession_are_told_once(backend: Backend) {
    alone(|| {
        let mut event_loop = probes(backend, Trigger::Level);
        event_loop.on_signal(SIGUSR1, |_, world| world.count += 1).unwrap();
        for _ in 0..200 {
            kernel::raise(SIGUSR1);
        }
        idle_turns(&mut event_loop);
        assert_eq!(event_loop.shared().count, 1);
    });
}

fn each_signal_has_its_own_call_and_may_have_several(backend: Backend) {
    alone(|| {
        let mut event_loop = probes(backend, Trigger::Level);
        event_loop.on_signal(SIGUSR1, |_, world| world.note("first", "usr1")).unwrap();
        event_loop.on_signal(SIGUSR1, |_, world| world.note("second", "usr1")).unwrap();
        event_loop.on_signal(SIGUSR2, |_, world| world.note("third", "usr2")).unwrap();
        kernel::raise(SIGUSR1);
        idle_turns(&mut event_loop);
        let mut log = event_loop.shared().log.clone();
        log.sort();
        assert_eq!(log, ["first usr1", "second usr1"]);
        kernel::raise(SIGUSR2);
        idle_turns(&mut event_loop);
        assert!(event_loop.shared().has("third usr2"));
    });
}

fn a_signal_can_begin_a_shutdown_and_calls_nobody_else(backend: Backend) {
    alone(|| {
        let mut event_loop = probes(backend, Trigger::Level);
        event_loop.on_signal(SIGHUP, |_, world| world.note("hup", "told")).unwrap();
        event_loop
            .on_signal(SIGINT, |scope, world| {
                world.count += 1;
                scope.shutdown(BOUND);
            })
            .unwrap();
        let (ours, peer) = UnixStream::pair().unwrap();
        event_loop.adopt(ours, Probe::new("a")).unwrap();
        kernel::raise(SIGINT);
        turn_until_logged(&mut event_loop, "a shutdown");
        drop(peer);
        let Outcome::Shutdown(report) = event_loop.run().unwrap() else { panic!("it was asked for") };
        assert_eq!((report.drained, report.cut), (1, 0));
        assert_eq!(event_loop.shared().count, 1);
        assert!(!event_loop.shared().has("hup told"), "a shutdown is no signal");
    });
}

fn watching_does_not_keep_the_loop_running(backend: Backend) {
    alone(|| {
        let mut event_loop = probes(backend, Trigger::Level);
        event_loop.on_signal(SIGTERM, |_, _| ()).unwrap();
        assert_eq!(event_loop.run().unwrap(), Outcome::Idle);
    });
}

fn a_signal_ends_a_wait_of_the_loop(backend: Backend) {
    alone(|| {
        let mut event_loop = probes(backend, Trigger::Level);
        let _remote = event_loop.remote();
        event_loop.on_signal(SIGTERM, |scope, _| scope.stop()).unwrap();
        let killer = thread::spawn(|| kernel::raise(SIGTERM));
        assert_eq!(event_loop.run().unwrap(), Outcome::Stopped);
        killer.join().unwrap();
    });
}

fn a_call_that_panics_is_called_again(backend: Backend) {
    alone(|| {
        let mut event_loop = probes(backend, Trigger::Level);
        event_loop
            .on_signal(SIGUSR1, |_, world| {
                world.count += 1;
                assert!(world.count != 1, "the first time");
            })
            .unwrap();
        for count in 1..=2 {
            kernel::raise(SIGUSR1);
            turn_until(&mut event_loop, "the signal", |world| world.count == count);
        }
        assert_eq!(event_loop.stats().panics, 1);
    });
}

fn signals_that_cannot_be_handled_are_refused(backend: Backend) {
    alone(|| {
        let mut event_loop = probes(backend, Trigger::Level);
        for signal in [libc::SIGKILL, libc::SIGSTOP, libc::SIGSEGV, libc::SIGFPE, libc::SIGILL] {
            let refused = event_loop.on_signal(signal, |_, _| ()).unwrap_err();
            assert_eq!(refused.kind(), io::ErrorKind::InvalidInput);
        }
        assert_eq!(event_loop.run().unwrap(), Outcome::Idle);
    });
}

fn closing_everything_leaves_the_signals_watched(backend: Backend) {
    alone(|| {
        let mut event_loop = probes(backend, Trigger::Level);
        event_loop.on_signal(SIGUSR1, |_, world| world.count += 1).unwrap();
        let (ours, _peer) = UnixStream::pair().unwrap();
        event_loop.adopt(ours, Probe::new("a")).unwrap();
        event_loop.close_all().unwrap();
        assert_eq!((event_loop.shared().ends.len(), event_loop.shared().count), (1, 0));
        kernel::raise(SIGUSR1);
        idle_turns(&mut event_loop);
        assert_eq!(event_loop.shared().count, 1);
    });
}

fn a_signal_handler_dies_with_its_loop(backend: Backend) {
    alone(|| {
        let mut first = probes(backend, Trigger::Level);
        first.on_signal(SIGUSR1, |_, _| panic!("of a loop that is gone")).unwrap();
        drop(first);
        let mut second = probes(backend, Trigger::Level);
        second.on_signal(SIGUSR1, |_, world| world.count += 1).unwrap();
        kernel::raise(SIGUSR1);
        idle_turns(&mut second);
        assert_eq!((second.shared().count, second.stats().panics), (1, 0));
    });
}

fn writing_to_a_peer_that_is_gone_does_not_kill_the_process(backend: Backend) {
    alone(|| {
        kernel::restore_sigpipe();
        // Gathered, written at once, and queued.
        for size in [10, 10_000] {
            let mut event_loop = probes(backend, Trigger::Level);
            let (ours, peer) = UnixStream::pair().unwrap();
            drop(peer);
            let probe = Probe::new("a").on(On::Open, move |cx, _| {
                let message = vec![1; size];
                cx.send(&message)?;
                Ok(())
            });
            let token = event_loop.adopt(ours, probe).unwrap();
            // It may have ended in its first callback.
            let _ = event_loop.enter(|scope, _| scope.send_to(token, vec![1; size]));
            assert_eq!(event_loop.run().unwrap(), Outcome::Idle);
            let end = event_loop.shared().ended("a").unwrap();
            assert!(matches!(&end.reason, Reason::Failed(e) if e.kind() == io::ErrorKind::BrokenPipe), "{end:?}");
        }
    });
}
