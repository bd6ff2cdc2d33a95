//! Many lessons at a time: nearly all of the time of a lesson is spent waiting for what will not come.

use crate::kit::{Action, Lesson, Mechanism};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

/// A lesson under a mechanism.
type Job<'a> = (&'a Lesson, Mechanism);

/// So many lessons at a time have numbers for their descriptors; more would wait for each other.
pub(crate) const USEFUL: usize = 8;

/// Does something with every lesson under every mechanism, so many at a time. What comes of it is in the order of the
/// lessons, a list each with an entry for each mechanism.
pub(crate) fn each<T: Send>(
    lessons: &[Lesson],
    at_a_time: usize,
    work: impl Fn(&Lesson, Mechanism) -> T + Sync,
) -> Vec<(&Lesson, Vec<T>)> {
    let jobs = lessons
        .iter()
        .enumerate()
        .flat_map(|(index, lesson)| Mechanism::ALL.into_iter().map(move |mechanism| (index, (lesson, mechanism))));
    let (apart, together): (Vec<_>, Vec<_>) = jobs.partition(|(_, (lesson, _))| is_disturbed_by_others(lesson));
    let mut done = in_threads(&together, at_a_time, &work);
    done.extend(in_threads(&apart, 1, &work));
    done.sort_by_key(|((index, (_, mechanism)), _)| (*index, *mechanism));
    let mut all: Vec<(&Lesson, Vec<T>)> = lessons.iter().map(|lesson| (lesson, Vec::new())).collect();
    for ((index, _), came) in done {
        all[index].1.push(came);
    }
    all
}

/// Experiments take time, signals and limits of the process into their hands.
fn is_disturbed_by_others(lesson: &Lesson) -> bool {
    lesson.steps.iter().any(|step| matches!(step.action, Action::Probe { .. }))
}

fn in_threads<'a, T: Send>(
    jobs: &[(usize, Job<'a>)],
    at_a_time: usize,
    work: &(impl Fn(&Lesson, Mechanism) -> T + Sync),
) -> Vec<((usize, Job<'a>), T)> {
    let next = AtomicUsize::new(0);
    let done = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..at_a_time.min(jobs.len()) {
            scope.spawn(|| {
                while let Some(job) = jobs.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let (_, (lesson, mechanism)) = *job;
                    let came = work(lesson, mechanism);
                    done.lock().unwrap_or_else(PoisonError::into_inner).push((*job, came));
                }
            });
        }
    });
    done.into_inner().unwrap_or_else(PoisonError::into_inner)
}
