"""Where the arrays lie in a pickle, found without unpickling it.

A pickle is a program, and unpickling a stranger's runs it; a plain ``Unpickler`` besides keeps each
array twice, once as an array and once as bytes in its memo. Here the opcodes are followed by a
machine that calls nothing: a class is a name (refused unless it is listed below), an object is that
name with its arguments, and the bytes of an array are a position in the file. Memory is therefore a
small share of the file, and every array can be read by itself later.
"""

import pickletools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from tqdm.utils import CallbackIOWrapper

from segue.data.decoding import decoding
from segue.errors import InputError
from segue.progress import progress

_ALLOWED = {
    ("numpy", "ndarray"),
    ("numpy", "dtype"),
    *((f"numpy.{core}.multiarray", "_reconstruct") for core in ("core", "_core")),
    *((f"numpy.{core}.multiarray", "scalar") for core in ("core", "_core")),
    *((f"numpy.{core}.numeric", "_frombuffer") for core in ("core", "_core")),
    *(("builtins", name) for name in ("list", "tuple", "dict", "set", "frozenset", "bytearray")),
}
_OLDEST_PROTOCOL = 3
_LENGTH_BYTES = {"SHORT_BINBYTES": 1, "BINBYTES": 4, "BINBYTES8": 8, "BYTEARRAY8": 8}


class Payload(NamedTuple):
    """Bytes in the file: position and number."""

    offset: int
    length: int


@dataclass(slots=True)
class Inert:
    """An object that was not made: name of its class or function, arguments, state, items."""

    name: str
    arguments: Any = ()
    state: Any = None
    items: tuple = ()


def contents(path: Path) -> Any:
    """Return what the pickle at ``path`` holds: containers, numbers, strings, `Payload`, `Inert`.

    Raises:
        InputError: a class or function other than numpy's arrays, plain containers and pydicom's
            values is named, an opcode that arrays and containers do not need is used, the protocol
            is older than 3, or the file is not a whole pickle.
    """
    machine = _Machine(path)
    size = path.stat().st_size
    bar = progress(total=size, desc=path.name, unit="B", unit_scale=True, delay=10)
    with (
        path.open("rb") as raw,
        bar,
        decoding(f"{path}: not a whole pickle", "fetch it again"),
    ):
        counted = CallbackIOWrapper(bar.update, raw, "read")
        for opcode, argument, position in pickletools.genops(counted):
            machine.step(opcode.name, argument, position)
        return machine.pop()


class _Machine:
    """The pickle machine with no calls: a stack, the stacks below the marks, and the memo."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.stack: list[Any] = []
        self.below: list[list[Any]] = []
        self.memo: dict[int, Any] = {}

    def step(self, opcode: str, argument: Any, position: int) -> None:
        """Follow one opcode."""
        if opcode in _PUSHED:
            self.push(argument)
        elif opcode in _MADE:
            self.push(_MADE[opcode]())
        elif opcode in _LENGTH_BYTES:
            start = position + 1 + _LENGTH_BYTES[opcode]
            self.push(Payload(start, len(argument)))
        elif opcode in _STEPS:
            _STEPS[opcode](self, argument)
        else:
            raise InputError(
                f"{self.path}: opcode {opcode} at byte {position}, which a pickle of arrays has no "
                "use for; refused, nothing was loaded"
            )

    def push(self, value: Any) -> None:
        self.stack.append(value)

    def pop(self) -> Any:
        return self.stack.pop()

    def unmark(self) -> list[Any]:
        """Take what lies above the last mark."""
        above, self.stack = self.stack, self.below.pop()
        return above

    def mark(self, _: None) -> None:
        self.below.append(self.stack)
        self.stack = []

    def named(self, module: str, name: str) -> None:
        """Push the name of a class or function, if it may be named."""
        ours = (module, name) in _ALLOWED or module.split(".")[0] == "pydicom"
        if not ours:
            raise InputError(
                f"{self.path}: the pickle names {module}.{name}; only numpy arrays, plain "
                "containers and pydicom's values are read. Unpickling it could run any code: "
                "refused, nothing was loaded"
            )
        self.push(Inert(f"{module}.{name}"))

    def call(self, _: None) -> None:
        """REDUCE and NEWOBJ: note what would have been called, with what."""
        arguments = self.pop()
        self.push(Inert(self.pop().name, arguments))

    def build(self, _: None) -> None:
        state = self.pop()
        self.stack[-1].state = state

    def extend(self, values: Sequence[Any]) -> None:
        """Append to the list (or to the items of the object) on top of the stack."""
        target = self.stack[-1]
        if isinstance(target, Inert):
            target.items += tuple(values)
        else:
            target.extend(values)

    def update(self, flat: Sequence[Any]) -> None:
        """Set keys of the dict (or items of the object) on top of the stack."""
        pairs = list(zip(flat[::2], flat[1::2], strict=True))
        target = self.stack[-1]
        if isinstance(target, Inert):
            target.items += tuple(pairs)
        else:
            target.update(pairs)

    def take(self, count: int) -> tuple[Any, ...]:
        """Take the last ``count`` values off the stack."""
        values = tuple(self.stack[-count:])
        del self.stack[-count:]
        return values

    def put(self, key: int | None) -> None:
        self.memo[len(self.memo) if key is None else key] = self.stack[-1]

    def protocol(self, number: int) -> None:
        if number < _OLDEST_PROTOCOL:
            raise InputError(
                f"{self.path}: pickle protocol {number}; expected {_OLDEST_PROTOCOL} or later, "
                "write it anew with pickle.dump(data, file, protocol=4)"
            )


_PUSHED = {
    *("BININT", "BININT1", "BININT2", "LONG1", "LONG4", "BINFLOAT"),
    *("BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8"),
}
_MADE: dict[str, Callable[[], Any]] = {
    "NONE": lambda: None,
    "NEWTRUE": lambda: True,
    "NEWFALSE": lambda: False,
    "EMPTY_TUPLE": tuple,
    "EMPTY_LIST": list,
    "EMPTY_DICT": dict,
    "EMPTY_SET": lambda: Inert("builtins.set"),
}
_STEPS: dict[str, Callable[[_Machine, Any], None]] = {
    "PROTO": _Machine.protocol,
    "FRAME": lambda machine, _: None,
    "STOP": lambda machine, _: None,
    "MARK": _Machine.mark,
    "POP": lambda machine, _: machine.stack.pop(),
    "GLOBAL": lambda machine, names: machine.named(*names.split(" ", 1)),
    "STACK_GLOBAL": lambda machine, _: machine.named(*machine.take(2)),
    "REDUCE": _Machine.call,
    "NEWOBJ": _Machine.call,
    "BUILD": _Machine.build,
    "TUPLE1": lambda machine, _: machine.push(machine.take(1)),
    "TUPLE2": lambda machine, _: machine.push(machine.take(2)),
    "TUPLE3": lambda machine, _: machine.push(machine.take(3)),
    "TUPLE": lambda machine, _: machine.push(tuple(machine.unmark())),
    "FROZENSET": lambda machine, _: machine.push(
        Inert("builtins.frozenset", tuple(machine.unmark()))
    ),
    "APPEND": lambda machine, _: machine.extend([machine.pop()]),
    "APPENDS": lambda machine, _: machine.extend(machine.unmark()),
    "ADDITEMS": lambda machine, _: machine.extend(machine.unmark()),
    "SETITEMS": lambda machine, _: machine.update(machine.unmark()),
    "SETITEM": lambda machine, _: machine.update(machine.take(2)),
    "BINPUT": _Machine.put,
    "LONG_BINPUT": _Machine.put,
    "MEMOIZE": _Machine.put,
    "BINGET": lambda machine, key: machine.push(machine.memo[key]),
    "LONG_BINGET": lambda machine, key: machine.push(machine.memo[key]),
}
