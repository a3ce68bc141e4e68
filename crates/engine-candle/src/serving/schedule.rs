//! Whose prompt is read in a step, and how much of it.
//!
//! The rule: the oldest prompt that is not read yet gets [`QUANTUM`] tokens of every step, so no
//! prompt waits for ever. The rest of the step goes to the prompts with the least left to read,
//! so a short one is not kept waiting by a long one. While others write, a step takes about
//! [`PATIENCE`], and never more than [`MOST_BESIDE_WRITERS`] tokens.

use std::time::Duration;

/// Shares are multiples of this, unless a prompt ends. Matrix kernels like such numbers of rows.
pub(crate) const QUANTUM: usize = 64;

/// How long those who write should wait for those who read, in a step.
pub(crate) const PATIENCE: Duration = Duration::from_millis(250);

/// The most tokens of prompts in a step while nobody writes.
const MOST: usize = 512;

/// The same while somebody does.
const MOST_BESIDE_WRITERS: usize = 256;

/// How many tokens of prompts a step takes at most, a multiple of [`QUANTUM`], when so many can
/// be read within [`PATIENCE`], if that is known.
pub(crate) fn most_tokens(somebody_writes: bool, within_patience: Option<usize>) -> usize {
    if !somebody_writes {
        return MOST;
    }
    let most = within_patience.unwrap_or(MOST_BESIDE_WRITERS) / QUANTUM * QUANTUM;
    most.clamp(QUANTUM, MOST_BESIDE_WRITERS)
}

/// How many tokens of each prompt to read, when so many are left of each (oldest first), and a
/// step takes at most `most`, a multiple of [`QUANTUM`].
pub(crate) fn shares(left: &[usize], most: usize) -> Vec<usize> {
    let mut shares = vec![0; left.len()];
    let mut room = most;
    let Some(oldest) = left.iter().position(|&left| left > 0) else {
        return shares;
    };
    shares[oldest] = left[oldest].min(QUANTUM);
    room -= shares[oldest];

    let mut shortest_first = (0..left.len()).collect::<Vec<_>>();
    shortest_first.sort_by_key(|&index| left[index]);
    for index in shortest_first {
        let rest = left[index] - shares[index];
        let share = match rest <= room {
            true => rest,
            false => room / QUANTUM * QUANTUM,
        };
        shares[index] += share;
        room -= share;
    }
    shares
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(left: &[usize], expected: &[usize]) {
        let shares = shares(left, 256);
        assert_eq!(shares, expected, "{left:?}");
        assert!(shares.iter().sum::<usize>() <= 256, "{left:?}");
    }

    #[test]
    fn short_prompts_go_first_and_the_oldest_is_never_left_out() {
        check(&[], &[]);
        check(&[0, 0], &[0, 0]);
        check(&[1000], &[256]);
        check(&[70], &[70]);
        check(&[1000, 50], &[192, 50]);
        check(&[1000, 300], &[64, 192]);
        check(&[1000, 100, 100], &[64, 100, 64]);
        check(&[0, 10, 1000, 1000], &[0, 10, 192, 0]);
        check(&[1000, 192, 10], &[64, 128, 10]);
    }

    #[test]
    fn a_step_is_short_while_others_write() {
        assert_eq!(most_tokens(false, Some(10)), MOST);
        for (speed, expected) in [(10, 64), (130, 128), (10_000, 256)] {
            assert_eq!(most_tokens(true, Some(speed)), expected);
        }
        assert_eq!(most_tokens(true, None), 256);
    }

    #[test]
    fn every_prompt_is_read_in_the_end() {
        let mut left = vec![5000, 64, 1];
        for step in 1.. {
            let shares = shares(&left, 128);
            for (left, share) in left.iter_mut().zip(shares) {
                *left -= share;
            }
            // A new short prompt in every step cannot starve the long one.
            left.push(128);
            if left[0] == 0 {
                assert!(step <= 5000_usize.div_ceil(QUANTUM));
                return;
            }
        }
    }
}
