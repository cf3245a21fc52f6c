#!/usr/bin/python3
# Runs a program in a terminal of 80 columns and 24 lines, for tests.
#
#     terminal.py FILE PROGRAM [ARGUMENT...]
#
# What the terminal shows is written to FILE whenever it has changed: 24 lines
# of text.  What is read from standard input is typed.  Only what penstock sends
# is understood: characters, CR, LF, and the escape codes H, J, K, ?h and ?l.
# Exits as the program does; ends it with a signal when we get TERM.

import codecs, fcntl, os, pty, re, select, signal, struct, sys, termios

COLUMNS, LINES = 80, 24


class Screen:
    def __init__(self):
        self.rows = [[' '] * COLUMNS for _ in range(LINES)]
        self.x = self.y = 0
        self.overrun = False

    def put(self, character):
        if self.x >= COLUMNS:
            self.overrun = True
            return
        self.rows[self.y][self.x] = character
        self.x += 1

    def control(self, code):
        if code == 'H':
            self.x = self.y = 0
        elif code == 'K':
            self.rows[self.y][self.x:] = [' '] * (COLUMNS - self.x)
        elif code == 'J':
            self.control('K')
            for row in self.rows[self.y + 1:]:
                row[:] = [' '] * COLUMNS
        elif not re.fullmatch(r'\?\d+[hl]', code):
            self.overrun = True

    def feed(self, text):
        for escape, character in re.findall(r'\x1b\[([?\d]*[A-Za-z])|(.)', text, re.S):
            if escape:
                self.control(escape)
            elif character == '\r':
                self.x = 0
            elif character == '\n':
                self.y = min(self.y + 1, LINES - 1)
            else:
                self.put(character)

    def text(self):
        lines = [''.join(row).rstrip() for row in self.rows]
        if self.overrun:
            lines.append('the program wrote beyond the edge')
        return '\n'.join(lines) + '\n'


def main():
    path, command = sys.argv[1], sys.argv[2:]
    child, fd = pty.fork()
    if child == 0:
        os.execvp(command[0], command)
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack('HHHH', LINES, COLUMNS, 0, 0))
    signal.signal(signal.SIGTERM, lambda *_: os.kill(child, signal.SIGTERM))
    screen, decode = Screen(), codecs.getincrementaldecoder('utf-8')('replace').decode
    wanted, left = [fd, 0], ''
    while True:
        ready, _, _ = select.select(wanted, [], [])
        if 0 in ready:
            keys = os.read(0, 100)
            if keys:
                os.write(fd, keys)
            else:
                wanted.remove(0)
        if fd in ready:
            try:
                output = os.read(fd, 65536)
            except OSError:
                break
            text = left + decode(output)
            # An escape code may come in two parts.
            part = re.search(r'\x1b(\[[?\d]*)?$', text)
            left = text[part.start():] if part else ''
            screen.feed(text[:part.start()] if part else text)
            with open(path + '.new', 'w') as file:
                file.write(screen.text())
            os.rename(path + '.new', path)
    sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) & 255)


main()
