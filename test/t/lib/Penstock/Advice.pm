# The commands that our programs tell people to run: each is to be one that a
# shell can run as it stands.  Whatever a test has them print is looked at here.
package Penstock::Advice;

use strict;
use warnings;

# Within double quotes, with what is quoted for the shell in single ones.  JSON is
# for machines, which unquote it.
my $COMMAND = qr/(?<!\\)"(penstock (?:'[^']*'|[^'"\n])*)"/;

# What stands for words that only the reader knows.
my $PLACEHOLDER = qr/\b(?:VERB|NAME|COMMAND)\b/;

my %checked;

# All commands of a text.
sub commands
{
	my ($text) = @_;

	return $text =~ /$COMMAND/g;
}

# Runs a command of a text in a shell, with the program under test in place of
# the one that is installed; returns its exit status and what it printed.
sub run
{
	my ($command) = @_;
	my ($words) = $command =~ /^penstock (.*)/
	  or die "\"$command\" is not a command of ours\n";
	my $output = `exec "\$PENSTOCK_BIN" $words 2>&1 </dev/null`;

	return ($? >> 8, $output);
}

# Dies if one of a text's commands is not understood.
sub check
{
	my ($text) = @_;

	# What is for machines is quoted once more.
	return if !$ENV{PENSTOCK_BIN} || $text =~ /^[\[{]/;
	for my $command (grep { !/$PLACEHOLDER/ } commands($text))
	{
		next if $checked{$command}++;
		my ($status, $output) = run("$command --help");

		die "a printed command cannot be run: $command\n$output"
		  if $status != 0;
	}
}

1;
