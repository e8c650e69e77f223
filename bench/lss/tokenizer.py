"""The Python side of tokenizer.mjs: CLIP's byte-pair encoding written plainly, with a cache of words, on one thread.

Reads a file of captions, one a line, then answers every line of input with the milliseconds of one pass over all
captions and writes the rows (int64) to the file that the line names. It does less than OpenAI's tokenizer: captions here
are clean ASCII, so ftfy is left out.
"""

import gzip
import html
import re
import sys
import time

import numpy

CONTEXT = 77
WORDS = re.compile(r"'s|'t|'re|'ve|'m|'ll|'d|[^\W\d_]+|\d|(?:[^\s\w]|_)+", re.IGNORECASE)


class Tokenizer:
    def __init__(self, path):
        with gzip.open(path, "rt", encoding="utf-8") as file:
            merges = [tuple(line.split()) for line in file.read().split("\n")[1 : 49152 - 256 - 2 + 1]]
        printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
        rest = [byte for byte in range(256) if byte not in printable]
        self.characters = {byte: chr(byte) for byte in printable}
        self.characters.update({byte: chr(256 + index) for index, byte in enumerate(rest)})
        symbols = [self.characters[byte] for byte in [*printable, *rest]]
        vocabulary = [*symbols, *(symbol + "</w>" for symbol in symbols), *("".join(merge) for merge in merges)]
        self.ids = {symbol: index for index, symbol in enumerate(vocabulary)}
        self.ranks = {merge: rank for rank, merge in enumerate(merges)}
        self.start, self.end = len(vocabulary), len(vocabulary) + 1
        self.known = {}

    def word(self, word):
        if word in self.known:
            return self.known[word]
        letters = [self.characters[byte] for byte in word.encode("utf-8")]
        symbols = [*letters[:-1], letters[-1] + "</w>"]
        while len(symbols) > 1:
            best = min(zip(symbols, symbols[1:]), key=lambda pair: self.ranks.get(pair, float("inf")))
            if best not in self.ranks:
                break
            merged, index = [], 0
            while index < len(symbols):
                if tuple(symbols[index : index + 2]) == best:
                    merged.append(symbols[index] + symbols[index + 1])
                    index += 2
                else:
                    merged.append(symbols[index])
                    index += 1
            symbols = merged
        self.known[word] = [self.ids[symbol] for symbol in symbols]
        return self.known[word]

    def encode(self, text):
        text = html.unescape(html.unescape(text)).strip()
        text = re.sub(r"\s+", " ", text).strip().lower()
        return [token for word in WORDS.findall(text) for token in self.word(word)]

    def rows(self, texts):
        rows = numpy.zeros((len(texts), CONTEXT), dtype=numpy.int64)
        for index, text in enumerate(texts):
            tokens = [self.start, *self.encode(text)[: CONTEXT - 2], self.end]
            rows[index, : len(tokens)] = tokens
        return rows


def main():
    vocabulary, captions = sys.argv[1:3]
    with open(captions, encoding="utf-8") as file:
        texts = file.read().split("\n")
    for line in sys.stdin:
        tokenizer = Tokenizer(vocabulary)
        began = time.process_time()
        rows = tokenizer.rows(texts)
        spent = time.process_time() - began
        rows.tofile(line.strip())
        print(spent * 1000, flush=True)


main()
