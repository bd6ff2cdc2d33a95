//! What never waits: regular files, directories, `/dev/null`, and a path without a file.

use super::model::{Beyond, Deed, Model, Side, Wakes};
use super::truth::{Facts, Sure};
use crate::kit::Bits;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fixed {
    /// Whether it was opened with `O_PATH`, so that not even `poll` may look at it.
    pub(super) path_only: bool,
}

impl Fixed {
    /// What `epoll_ctl` answers.
    pub(super) const fn refusal(&self) -> &'static str {
        if self.path_only { "EBADF" } else { "EPERM" }
    }
}

impl Model for Fixed {
    fn facts(&self, _: Side) -> Facts {
        let bits = if self.path_only { Bits::NVAL } else { Bits::IN | Bits::OUT };
        Facts::default().with(bits, Sure::Yes)
    }

    fn act(&mut self, _: Side, _: Deed, _: &mut Wakes) -> Result<(), Beyond> {
        Ok(())
    }

    fn unread(&self, _: Side) -> Option<u64> {
        None
    }

    fn reason(&self, _: Side, bit: Bits) -> String {
        match bit {
            Bits::NVAL => "it was opened for its path only".to_owned(),
            _ => "it is always called ready".to_owned(),
        }
    }
}
