# Harvest with HTTP::OAI: with_http_oai.pl URL PREFIX [set=… from=… until=…]
# Prints an identifier and 1 (deleted) or 0 for each record.
use strict;
use warnings;
use HTTP::OAI;

my ($url, $prefix, @more) = @ARGV;
my %given = map { split /=/, $_, 2 } @more;
my $client = HTTP::OAI::Harvester->new(baseURL => $url);
my $answer = $client->ListRecords(metadataPrefix => $prefix, %given, onRecord => sub {
    my $record = $_[0];
    die 'no metadata in ' . $record->identifier unless $record->is_deleted || $record->metadata;
    print $record->identifier, "\t", $record->is_deleted ? 1 : 0, "\n";
});
die $answer->message if $answer->is_error;
