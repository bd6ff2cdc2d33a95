//! What the oracle says: what the next wait will report, and by which rule.

use super::cell::Cell;

/// The oracle's word on one wait.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Forecast {
    /// What may be reported: one cell, or several where the kernel has the choice.
    pub(crate) cells: Vec<Cell>,
    /// Why, with one entry for each descriptor of which something is to be said.
    pub(crate) why: Vec<Why>,
}

/// The reason for what is reported, or not, of one descriptor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Why {
    /// The descriptor's name.
    pub(crate) name: String,
    pub(crate) rule: Rule,
    /// The rule, said of this descriptor in this situation: "5 bytes are unread, and c was told of them at line 9".
    pub(crate) text: String,
}

/// The rules of readiness, see [`Rule::text`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Rule {
    /// Level answers what is true now.
    LevelRepeats,
    /// Edge answers once for what has arrived since it answered last.
    EdgeOnce,
    /// Any arrival makes an edge, also on top of unread data.
    ArrivalIsEdge,
    /// An event carries everything that is true, not only what changed.
    FullState,
    /// Registering, and registering anew, looks at what is true already.
    RegisteringLooks,
    /// After its one report a one-shot hears nothing, errors included, until it is armed again.
    DisarmedIsDeaf,
    /// Errors and hang-up are reported without being asked for.
    ErrorsUnasked,
    /// select has three sets: hang-up shows as readable, an error as readable and writable.
    SelectFolds,
    /// The end of the peer's data is readable; hang-up is the end of both directions.
    FinIsReadable,
    /// An error is told once, to whoever asks first.
    ErrorOnce,
    /// Writable means that a good part is free.
    RoomNeedsMore,
    /// A registration belongs to a number and an open file together.
    NumberAndFile,
    /// What is always ready cannot be waited for: epoll refuses it.
    FilesRefused,
    /// Of more than a wait can hold, the rest comes next time.
    TheRestNextTime,
    /// Nothing is true of it that was asked for.
    NothingTrue,
}

impl Rule {
    pub(crate) const ALL: [Self; 15] = [
        Self::LevelRepeats,
        Self::EdgeOnce,
        Self::ArrivalIsEdge,
        Self::FullState,
        Self::RegisteringLooks,
        Self::DisarmedIsDeaf,
        Self::ErrorsUnasked,
        Self::SelectFolds,
        Self::FinIsReadable,
        Self::ErrorOnce,
        Self::RoomNeedsMore,
        Self::NumberAndFile,
        Self::FilesRefused,
        Self::TheRestNextTime,
        Self::NothingTrue,
    ];

    /// In a few words.
    pub(crate) const fn title(self) -> &'static str {
        match self {
            Self::LevelRepeats => "Level answers what is true now",
            Self::EdgeOnce => "Edge answers once for what has happened",
            Self::ArrivalIsEdge => "Every arrival is an edge",
            Self::FullState => "An event carries everything that is true",
            Self::RegisteringLooks => "Registering looks",
            Self::DisarmedIsDeaf => "Disarmed is deaf",
            Self::ErrorsUnasked => "Errors and hang-up come unasked",
            Self::SelectFolds => "select has three sets for everything",
            Self::FinIsReadable => "The end is readable",
            Self::ErrorOnce => "An error is told once",
            Self::RoomNeedsMore => "Writable means that a good part is free",
            Self::NumberAndFile => "A registration is a number and an open file",
            Self::FilesRefused => "epoll refuses what is always ready",
            Self::TheRestNextTime => "What does not fit comes next time",
            Self::NothingTrue => "Nothing that was asked for is true",
        }
    }

    /// The rule.
    pub(crate) const fn text(self) -> &'static str {
        match self {
            Self::LevelRepeats => {
                "Each wait asks what is true at that moment and reports it, however often it was reported before. It stops \
                 when the program changes what is true: by reading, by writing, or by asking for less."
            }
            Self::EdgeOnce => {
                "An edge is a wakeup by the driver, not a bit that rises. All wakeups between two waits are one event. \
                 After it nothing is said until the next wakeup, even if nothing was read: what is left over has to be \
                 remembered by the program."
            }
            Self::ArrivalIsEdge => {
                "Data that comes in on top of unread data wakes the wait queue again, and that is a new event. A program \
                 that leaves data unread seems to work as long as the peer keeps sending."
            }
            Self::FullState => {
                "A wakeup only puts a registration on the list. What is reported is asked of the file during the wait, so \
                 that an event names everything that is true and was asked for, and not what has changed."
            }
            Self::RegisteringLooks => {
                "Adding and modifying a registration ask the file at once, and what is true already is reported by the next \
                 wait, under edge too. Nothing is lost by registering late, and modifying with the same mask is the way to \
                 be told again."
            }
            Self::DisarmedIsDeaf => {
                "A one-shot registration is switched off by its own report. Until it is armed again it hears nothing, no \
                 data, no hang-up, no reset; arming it asks the file anew, so that nothing is lost either."
            }
            Self::ErrorsUnasked => {
                "ERR and HUP are part of every mask. They cannot be switched off, only taken away with the registration, so \
                 that a level-triggered loop which does not act on them spins. RDHUP has to be asked for."
            }
            Self::SelectFolds => {
                "select can say readable, writable and exceptional. A hang-up it shows as readable, an error as readable and \
                 writable; what it was has to be found out by calling read, write or getsockopt."
            }
            Self::FinIsReadable => {
                "When the peer will send no more, a read does not block, and so the descriptor is readable, from then on and \
                 for ever. RDHUP says the same to who has asked for it. Only if both directions are over there is HUP; a \
                 Unix socket whose peer has closed, and a pipe without a writer, have it at once."
            }
            Self::ErrorOnce => {
                "A pending error is handed to whoever asks first, be it read, write or getsockopt, and ERR is gone after \
                 that. The connection is as dead as before: a read says that it is at its end."
            }
            Self::RoomNeedsMore => {
                "Writable does not mean that one byte is free. TCP wants a third of its send buffer, a Unix socket three \
                 quarters, a pipe a whole page; below that there is no OUT, although a small write might succeed."
            }
            Self::NumberAndFile => {
                "epoll keeps the number and the open file behind it. The registration ends with the last descriptor of the \
                 file and not with the number, so that a duplicate keeps it alive. select and poll go by the number alone, \
                 whatever it stands for when they are called."
            }
            Self::FilesRefused => {
                "Regular files, directories and some devices have no wait queue; select and poll call them always ready, \
                 epoll_ctl refuses them with EPERM. That they are ready does not mean that reading them takes no time."
            }
            Self::TheRestNextTime => {
                "epoll hands out no more than the caller has room for. Those that were left stand first in the next wait, \
                 and under level those that were reported go to the end of the list, so that everybody has a turn."
            }
            Self::NothingTrue => {
                "A wait reports what is true and was asked for. Here nothing is, under any of the mechanisms, however often \
                 the wait is repeated."
            }
        }
    }

    /// Where the manual says it.
    pub(crate) const fn man(self) -> &'static str {
        match self {
            Self::LevelRepeats | Self::EdgeOnce | Self::ArrivalIsEdge | Self::NumberAndFile => "epoll(7)",
            Self::FullState | Self::TheRestNextTime => "epoll_wait(2)",
            Self::RegisteringLooks | Self::DisarmedIsDeaf | Self::FilesRefused => "epoll_ctl(2)",
            Self::ErrorsUnasked | Self::FinIsReadable | Self::NothingTrue => "poll(2)",
            Self::SelectFolds => "select(2)",
            Self::ErrorOnce | Self::RoomNeedsMore => "socket(7)",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_is_explained_in_its_own_words() {
        for (index, rule) in Rule::ALL.into_iter().enumerate() {
            assert_eq!(rule as usize, index, "the list is in the order of the definition");
            assert!(rule.text().ends_with('.') && rule.man().ends_with(')'), "{rule:?}");
            let same =
                Rule::ALL.into_iter().filter(|other| other.title() == rule.title() || other.text() == rule.text());
            assert_eq!(same.count(), 1, "{rule:?}");
        }
    }
}
