"""The states that a power loss may leave, for each moment of a run and a rule.

States that differ only in the contents of temporary files count as one. lrpatch deletes these files
by their names, and never reads those of another process.
"""

import itertools
import math
from dataclasses import dataclass

from disk import BLOCK, SECTOR, TEMPORARY
from run import STALE


@dataclass(frozen=True)
class State:
    """What is on the disk: for each path its mode, whether it is a folder, its size and its blocks' contents."""

    files: tuple  # (path, mode, is_folder, size, contents of the blocks)
    inodes: tuple = ()  # the inode of each path; not part of the identity

    @property
    def key(self):
        return self.files


class Moment:
    """The choices at a moment: the first `count` calls were made, and what is not synced may be there or not."""

    def __init__(self, run, rule, count):
        self.run = run
        self.rule = rule
        self.count = count
        self.synced = {}
        for op, inode in run.syncs:
            if op < count:
                self.synced[inode] = op
        issued = [step for step in run.steps if step.op < count]
        self.visible = self.visible_inodes(issued)
        self.groups = self.grouped([step for step in issued if not step.is_late])
        self.open_late = [
            step
            for step in issued
            if step.is_late and step.op >= self.synced.get(step.inodes[0], -1) and step.inodes[0] in self.visible
        ]
        self.contents, self.open_blocks = self.block_choices()
        self.domains = (
            [range(self.floor(units), len(units) + 1) for units in self.groups]
            + [range(2) for _ in self.open_late]
            + [versions for _, versions in self.open_blocks]
        )

    @property
    def number_of_states(self):
        return math.prod(len(domain) for domain in self.domains)

    def visible_inodes(self, issued):
        """The inodes that may have a path without a temporary name."""
        entries = [step.entry for step in issued if step.entry]
        for folder, inode in self.run.base.inodes.items():
            entries += [(folder, name, child) for name, child in inode.entries.items()]
        visible, size = {self.run.base.root}, 0
        while len(visible) > size:
            size = len(visible)
            visible |= {child for folder, name, child in entries if folder in visible and TEMPORARY not in name}
        return visible

    # MARK: What is durable

    def grouped(self, steps):
        """Steps that become durable in their order. Each unit, a list, is atomic."""
        groups = {}
        for step in steps:
            units = groups.setdefault(None if self.rule.keeps_order else step.place, [])
            if step.after and self.rule.keeps_order:
                units[-1].append(step)
            else:
                units.append([step])
        return list(groups.values())

    def floor(self, units):
        """How many of the units are durable for certain."""
        if not self.rule.keeps_order and units[0][0].place[1] not in self.visible:
            return len(units)
        durable = [number for number, unit in enumerate(units, 1) if self.is_durable(unit[-1])]
        return max(durable, default=0)

    def is_durable(self, step):
        if not self.rule.keeps_order:
            owner = step.place[1]
            return step.op < self.synced.get(owner, -1)
        return step.op <= self.durable_op()

    def durable_op(self):
        """The last call up to which all metadata are durable, where they keep their order."""
        if self.rule.commits_all:
            return max(self.synced.values(), default=0) - 1
        return max(
            (
                step.op
                for step in self.run.steps
                for inode in step.inodes
                if step.op < self.synced.get(inode, -1)
            ),
            default=-1,
        )

    # MARK: Blocks

    def block_choices(self):
        """The contents of all blocks, and the possible contents of those that have several."""
        contents, choices = [], []
        for number, block in enumerate(self.run.blocks):
            versions = [data for op, data in block.versions if op < self.count]
            settled = sum(op < self.synced.get(block.inode, -1) for op, _ in block.versions) or 1
            # The first version of a new block is what was on the disk before.
            if block.is_new and self.rule.keeps_order:
                settled = max(settled, 2)
            elif block.is_new and settled == 1:
                versions[0] = self.run.contents.number(STALE)
            contents.append(versions[-1])
            if block.inode not in self.visible:
                continue
            possible = self.torn(versions[settled - 1 :])
            if len(possible) > 1:
                choices.append((number, possible))
        return contents, choices

    def torn(self, versions):
        """All versions, and those that are torn between one and the next at a sector."""
        data = self.run.contents.all
        result = dict.fromkeys(versions)
        for old, new in zip(versions, versions[1:]):
            for cut in range(SECTOR, BLOCK, SECTOR):
                for first, last in ((new, old), (old, new)):
                    result[self.run.contents.number(data[first][:cut] + data[last][cut:])] = None
        return list(result)

    # MARK: States

    def all_states(self):
        for choice in itertools.product(*self.domains):
            yield self.state(choice)

    def random_state(self, random):
        """A state in which much, little or about half of what is open has become durable."""
        share = random.choice((0, 0.1, 0.5, 0.9, 1))
        groups = [random.choice(domain) for domain in self.domains[: len(self.groups)]]
        late = [int(random.random() < share) for _ in self.open_late]
        share = random.choice((0, 0.1, 0.5, 0.9, 1))
        blocks = []
        for _, versions in self.open_blocks:
            torn = random.random() < 0.2
            blocks.append(random.choice(versions) if torn else versions[0 if random.random() >= share else -1])
        if self.open_blocks and random.random() < 0.1:
            index = random.randrange(len(blocks))
            blocks[index] = self.shredded(self.open_blocks[index][1], random)
        return self.state([*groups, *late, *blocks])

    def shredded(self, versions, random):
        """A block with each of its sectors from one of the versions."""
        data = self.run.contents.all
        return self.run.contents.number(
            b"".join(data[random.choice(versions)][at : at + SECTOR] for at in range(0, BLOCK, SECTOR))
        )

    def state(self, choice):
        prefixes = dict(zip(map(id, self.groups), choice))
        done = {id(step) for units in self.groups for unit in units[: prefixes[id(units)]] for step in unit}
        first_missing = {
            self.place(units[prefixes[id(units)]][0]): units[prefixes[id(units)]][0].op
            for units in self.groups
            if prefixes[id(units)] < len(units)
        }
        open_late = dict(zip(map(id, self.open_late), choice[len(self.groups) :]))
        blocks = dict(zip((number for number, _ in self.open_blocks), choice[len(self.groups) + len(self.open_late) :]))
        if self.rule.writes_before_rename:
            self.write_before_renames(first_missing.get(None, self.count), open_late, blocks)
        disk = self.run.base.copy()
        for step in self.run.steps:
            if step.op >= self.count:
                break
            if step.is_late:
                # A block is allocated after what came before it in the order.
                is_done = open_late.get(id(step), 1) and step.op < first_missing.get(self.place(step), self.count)
            else:
                is_done = id(step) in done and (step.after is None or id(step.after) in done)
            if is_done:
                step.apply(disk)
        return self.observed(disk, blocks)

    def place(self, step):
        return None if self.rule.keeps_order else step.place

    def write_before_renames(self, end, open_late, blocks):
        """Writes the files that took another's place before call `end`."""
        renamed = {inode: op for op, inode in self.run.replacements if op < end}
        for step in self.open_late:
            if step.op < renamed.get(step.inodes[0], -1):
                open_late[id(step)] = 1
        for number in blocks:
            block = self.run.blocks[number]
            versions = [data for op, data in block.versions if op < renamed.get(block.inode, -1)]
            if versions:
                blocks[number] = versions[-1]

    def observed(self, disk, blocks):
        files, inodes = [], []
        for path, number in disk.files():
            inode = disk.inodes[number]
            contents = [
                None if block is None else blocks[block] if block in blocks else self.contents[block]
                for block in inode.blocks
            ]
            if inode.size % BLOCK and contents[-1] is not None:
                contents[-1] = self.clipped(contents[-1], inode.size % BLOCK)
            files.append((path, inode.mode, inode.is_folder, inode.size, tuple(contents)))
            inodes.append(number)
        return State(tuple(files), tuple(inodes))

    def clipped(self, data, size):
        return self.run.contents.number(self.run.contents.all[data][:size])


def moments(run, rule):
    """Every moment of a run, from before its first call to after its last."""
    return [Moment(run, rule, count) for count in range(run.ops + 1)]


def states(all_moments, limit, random):
    """The states of all moments: all of them if they are at most `limit`, else about as many drawn at random."""
    sizes = [moment.number_of_states for moment in all_moments]
    if sum(sizes) <= limit:
        for moment in all_moments:
            yield from moment.all_states()
        return
    share = limit // len(all_moments)
    large = sum(size > share for size in sizes)
    rest = (limit - sum(size for size in sizes if size <= share)) // large
    for moment, size in zip(all_moments, sizes):
        if size <= share:
            yield from moment.all_states()
        else:
            yield from (moment.random_state(random) for _ in range(rest))
