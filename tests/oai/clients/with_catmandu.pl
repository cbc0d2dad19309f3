# Harvest with Catmandu::OAI: with_catmandu.pl URL PREFIX [set=… from=… until=…]
# Prints an identifier and 1 (deleted) or 0 for each record.
use strict;
use warnings;
use Catmandu;

my ($url, $prefix, @more) = @ARGV;
my %given = map { split /=/, $_, 2 } @more;
my $importer = Catmandu->importer(
    'OAI', url => $url, metadataPrefix => $prefix, handler => 'raw', %given
);
$importer->each(sub {
    my $record = $_[0];
    my $deleted = $record->{_status} eq 'deleted';
    die 'no metadata in ' . $record->{_identifier} unless $deleted || $record->{_metadata};
    print $record->{_identifier}, "\t", $deleted ? 1 : 0, "\n";
});
