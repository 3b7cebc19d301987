//! What an image does: one that is counted, or one that is weighed.

use crate::{operations, Contender};

/// Whether this image is one that is weighed (`WEIGH` when building).
pub const WEIGHED: bool = option_env!("WEIGH").is_some();

/// Does it.
pub fn run<C: Contender>() -> ! {
    C::init();
    if WEIGHED {
        // Two tasks and nothing else.
        C::two_tasks();
        if crate::board::toggles() != 6 {
            semihosting::process::exit(3);
        }
    } else {
        semihosting::println!("bytes {} {}", size_of::<C::Delay>(), C::BYTES_PER_TASK);
        operations::pending::<C, 0>();
        if C::CAPACITY >= operations::MANY {
            operations::pending::<C, 7>();
            operations::pending::<C, 31>();
            if C::CANCELS {
                operations::last_place::<C>();
            }
        }
    }
    semihosting::process::exit(0)
}
