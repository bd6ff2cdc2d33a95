//! x
#[cfg(not(target_os = "linux"))]
compile_error!("tripoll runs on Linux: select and poll would do elsewhere, but nobody has tested them there");
pub mod dispatcher;
pub mod poller;
pub mod reactor;
mod sys;
pub use dispatcher::{Context, Dispatcher, EventLoop};
pub use poller::{Backend, Interest, Token, Trigger};
pub use reactor::{Endpoint, Settings};
