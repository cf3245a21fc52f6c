#!/usr/bin/python3
"""Reads a log of penstock, from consumer/doc/log.md and proto/penstock.proto.

    log_reader.py DIRECTORY            a line for each transaction and change
    log_reader.py --check DIRECTORY    nothing but where the log ends
    log_reader.py --bytes DIRECTORY    the frames in hexadecimal, without the
                                       numbers of tables

Needs nothing but Python and the library libzstd.
"""

import ctypes
import os
import re
import struct
import sys

ZSTD = ctypes.CDLL('libzstd.so.1')
ZSTD.ZSTD_decompress.restype = ctypes.c_size_t

HEAD = struct.Struct('<8sIIQQQqII')
RECORD = struct.Struct('<4sIIIQQqIIII')
ITEM = struct.Struct('<QQqII')
INSIDE, RELATIONS, COMPRESSED, INDEX = 1, 2, 4, 8


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc = TABLE[(crc ^ byte) & 0xFF] ^ (crc >> 8)
    return crc ^ 0xFFFFFFFF


def table_entry(crc):
    for _ in range(8):
        crc = (crc >> 1) ^ (0x82F63B78 if crc & 1 else 0)
    return crc


TABLE = [table_entry(byte) for byte in range(256)]


def lsn(number):
    return '%X/%X' % (number >> 32, number & 0xFFFFFFFF)


def decompress(data, length):
    into = ctypes.create_string_buffer(length)
    got = ZSTD.ZSTD_decompress(into, ctypes.c_size_t(length), data,
                               ctypes.c_size_t(len(data)))
    assert got == length, 'zstd'
    return into.raw


# ---- protobuf -------------------------------------------------------------

def varint(data, at):
    number = shift = 0
    while True:
        byte = data[at]
        at += 1
        number |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return number, at


def fields(data):
    at = 0
    while at < len(data):
        tag, at = varint(data, at)
        kind = tag & 7
        if kind == 0:
            value, at = varint(data, at)
        elif kind == 1:
            value, at = data[at:at + 8], at + 8
        elif kind == 2:
            length, at = varint(data, at)
            value, at = data[at:at + length], at + length
        else:
            value, at = data[at:at + 4], at + 4
        yield tag >> 3, value


def zigzag(number):
    return (number >> 1) ^ -(number & 1)


def packed(data):
    at = 0
    while at < len(data):
        number, at = varint(data, at)
        yield number


# ---- a segment ------------------------------------------------------------

def records(data):
    """Returns (record, payload) of a segment up to the last whole transaction."""
    (magic, version, timeline, system, start, commit, time, session,
     zero) = HEAD.unpack_from(data)
    assert magic == b'PENSTLOG' and version == 1 and zero == 0
    end = HEAD.size + session
    assert struct.unpack_from('<I', data, end)[0] == crc32c(data[:end])
    at = end + 4
    group = []
    while at + RECORD.size <= len(data):
        record = RECORD.unpack_from(data, at)
        if record[0] != b'PENL' or record[10] != crc32c(data[at:at + 52]):
            break
        payload = data[at + RECORD.size:at + RECORD.size + record[2]]
        if len(payload) < record[2] or crc32c(payload) != record[9]:
            break
        flags = record[1]
        if flags & INDEX:
            check_index(data, at, payload)
            break
        if flags & COMPRESSED:
            payload = decompress(payload, record[3])
        group.append((record, payload))
        at += RECORD.size + record[2]
        if not flags & INSIDE:
            yield from group
            group = []


def check_index(data, at, payload):
    """The index names records, and the trailer names the index."""
    assert data[at + RECORD.size + len(payload):] == struct.pack('<Q', at) + \
        b'PENSTEND'
    for item in range(0, len(payload), ITEM.size):
        assert data[ITEM.unpack_from(payload, item)[0]:][:4] == b'PENL'


def entries(payload):
    at = 0
    while at < len(payload):
        kind, length = struct.unpack_from('<BI', payload, at)
        yield kind, payload[at + 5:at + 5 + length]
        at += 5 + length


def segments(directory):
    for name in sorted(os.listdir(directory)):
        if re.fullmatch('[0-9A-F]{24}\\.log', name):
            with open(os.path.join(directory, name), 'rb') as file:
                yield name, file.read()


# ---- what is in it --------------------------------------------------------

def relation(data):
    found = {'columns': []}
    for number, value in fields(data):
        if number == 1:
            found['number'] = value
        elif number == 4:
            found['name'] = value.decode()
        elif number == 6:
            column = dict(fields(value))
            found['columns'].append((column[1].decode(), column.get(6, 0),
                                     column[7]))
    return found


def bit(bitmap, index):
    return index // 8 < len(bitmap) and bitmap[index // 8] >> index % 8 & 1


def row(columns, integers, values, nulls, unchanged):
    integers, values, cells = list(integers), list(values), []
    for index, (name, _, encoding) in enumerate(columns):
        if bit(nulls, index):
            cells.append(name + '=null')
        elif bit(unchanged, index):
            cells.append(name + '=unchanged')
        elif encoding == 1:
            cells.append('%s=%d' % (name, zigzag(integers.pop(0))))
        else:
            cells.append('%s=%s' % (name, values.pop(0).hex()))
    assert not integers and not values
    return ' '.join(cells)


def change(data, relations):
    kinds = {1: 'insert', 2: 'update', 3: 'delete'}
    kind, table, integers, values, nulls, unchanged = None, 0, [], [], b'', b''
    for number, value in fields(data):
        if number in kinds:
            kind, table = kinds[number], value
        elif number == 5:
            return 'truncate'
        elif number == 6:
            message = dict(fields(value))
            return 'message %s %s' % (message[3].decode(), message[4].decode())
        elif number == 14:
            return 'schema'
        elif number == 15:
            return 'rewrite'
        elif number == 7:
            integers.extend(packed(value) if isinstance(value, bytes) else [value])
        elif number == 8:
            values.append(value)
        elif number == 9:
            nulls = value
        elif number == 10:
            unchanged = value
    found = relations[table]
    columns = [c for c in found['columns'] if kind != 'delete' or c[1]]
    return '%s %s %s' % (kind, found['name'],
                         row(columns, integers, values, nulls, unchanged))


def print_frame(data, relations, state):
    for number, value in fields(data):
        assert number in (2, 3, 4), 'not a plain frame'
        if number == 2:
            begin = dict(fields(value))
            assert begin[3] > state['end'], 'order'
            state['end'], state['changes'] = begin[3], 0
            state['print']('begin', lsn(begin[3]))
        elif number == 3:
            state['changes'] += 1
            if state['print'] is print:
                print(change(value, relations))
        else:
            commit = dict(fields(value))
            assert commit.get(1, 0) == state['changes'], 'changes are missing'
            state['print']('commit')


def print_bytes(data, relations):
    for number, value in fields(data):
        if number != 3:
            print(number, value.hex())
            continue
        parts = [relations[v]['name'] if n in (1, 2, 3) else
                 v.hex() if isinstance(v, bytes) else str(v)
                 for n, v in fields(value)]
        print(number, ' '.join(parts))


def ignore(*_):
    pass


def main():
    as_bytes = sys.argv[1] == '--bytes'
    check = sys.argv[1] == '--check'
    end, state = None, {'end': 0, 'print': ignore if check else print}
    for name, data in segments(sys.argv[-1]):
        start = HEAD.unpack_from(data)[4]
        assert int(name[8:24], 16) == start and end in (None, start), 'gap'
        relations, end = {}, start
        for record, payload in records(data):
            end = record[4]
            for kind, content in entries(payload):
                if kind == 1:
                    found = relation(content)
                    relations[found['number']] = found
                elif as_bytes:
                    print_bytes(content, relations)
                else:
                    print_frame(content, relations, state)
    print('end', lsn(end or 0))


main()
