(** * Two sizes: the largest loads need not stay where they are

    [Recursion.v] lets every worker come up to the highest of the lowest ends, at the cost of
    [delta - 1] for each but one.  Any level up to [delta - 1] above it will do as well; over all of
    them what a worker lacks is [(delta - 1) / 2] on average.  So an optimal admission loses at most
    [G (delta - 1) / 2] to the spacing, half as much for many workers, and no smaller multiple of
    [G (delta - 1)] will do.

    Claim: [geometric.two-sizes-half]. *)

From Coq Require Import Reals Lra ZArith List Lia Permutation.
From evenkeel Require Import Loads Step Waterfill Departures Recursion.
Import ListNotations.
Open Scope Z_scope.

(** [f 0 + ... + f (n - 1)]. *)
Fixpoint below (n : nat) (f : Z -> Z) : Z :=
  match n with O => 0 | S m => below m f + f (Z.of_nat m) end.

Lemma below_ext : forall n f g, (forall e, 0 <= e < Z.of_nat n -> f e = g e) ->
  below n f = below n g.
Proof.
  induction n; intros f g H; [reflexivity|]. simpl. rewrite (IHn f g), H; [reflexivity|lia|].
  intros e I. apply H. lia.
Qed.

Lemma below_le : forall n f g, (forall e, 0 <= e < Z.of_nat n -> f e <= g e) ->
  below n f <= below n g.
Proof.
  induction n; intros f g H; simpl; [lia|]. assert (below n f <= below n g).
  { apply IHn. intros e I. apply H. lia. }
  specialize (H (Z.of_nat n) ltac:(lia)). lia.
Qed.

Lemma below_plus : forall n c f, below n (fun e => c + f e) = Z.of_nat n * c + below n f.
Proof. induction n; intros c f; [reflexivity|]. simpl below. rewrite IHn. lia. Qed.

Lemma below_constant : forall n c, below n (fun _ => c) = Z.of_nat n * c.
Proof. induction n; intros c; [reflexivity|]. simpl below. rewrite IHn. lia. Qed.

Lemma below_all : forall n, 2 * below n (fun e => e) = Z.of_nat n * (Z.of_nat n - 1).
Proof. induction n; [reflexivity|]. simpl below. nia. Qed.

Lemma below_sum : forall A n (f : Z -> A -> Z) xs,
  below n (fun e => sum (map (f e) xs)) = sum (map (fun x => below n (fun e => f e x)) xs).
Proof.
  intros A n f xs. induction n as [|n IH].
  - simpl. induction xs; simpl; lia.
  - simpl below. rewrite IH. clear IH. induction xs; simpl; lia.
Qed.

(** Remainders of [delta] consecutive numbers are all remainders. *)
Lemma below_shift : forall n f, below n (fun e => f (e + 1)) = below n f + f (Z.of_nat n) - f 0.
Proof.
  induction n; intros f; simpl below; [simpl; lia|]. rewrite IHn.
  replace (Z.of_nat n + 1) with (Z.of_nat (S n)) by lia. lia.
Qed.

Lemma remainders : forall n r, (1 <= n)%nat -> 0 <= r ->
  below n (fun e => (r + e) mod Z.of_nat n) = below n (fun e => e).
Proof.
  intros n r H R. pattern r. apply natlike_ind; [| |exact R].
  - apply below_ext. intros e I. rewrite Z.add_0_l. now apply Z.mod_small.
  - intros q Q IH. rewrite <- IH.
    rewrite (below_ext n _ (fun e => (fun u => (q + u) mod Z.of_nat n) (e + 1))).
    + rewrite (below_shift n (fun u => (q + u) mod Z.of_nat n)).
      rewrite Z.add_0_r. replace (q + Z.of_nat n) with (q + 1 * Z.of_nat n) by lia.
      rewrite Z.mod_add by lia. lia.
    + intros e _. cbv beta. f_equal. lia.
Qed.

(** What one worker lacks, over all levels from [M] to [M + delta - 1]. *)
Lemma gaps_of_a_worker : forall M x delta worker, 1 <= delta ->
  fst worker + Z.of_nat (snd worker) * x <= M ->
  2 * below (Z.to_nat delta) (fun e =>
        M + e - (fst worker + sum (two_sizes (M + e) x delta worker)))
  <= delta * (delta - 1)
     + 2 * (delta * Z.max 0 (M - fst worker - Z.of_nat (snd worker) * (x + delta))).
Proof.
  intros M x delta [l c] d H. simpl fst in *. simpl snd in *.
  set (r := M - l - Z.of_nat c * x). assert (r0 : 0 <= r) by (unfold r; lia).
  assert (n : Z.of_nat (Z.to_nat delta) = delta) by lia.
  assert (L : forall e, 0 <= e < delta ->
    M + e - (l + sum (two_sizes (M + e) x delta (l, c)))
    = r + e - delta * Z.min (Z.of_nat c) ((r + e) / delta)).
  { intros e I. unfold two_sizes, larger. simpl fst. simpl snd.
    rewrite sum_app, !sum_repeat.
    replace (M + e - l - Z.of_nat c * x) with (r + e) by (unfold r; lia).
    assert (Q : 0 <= (r + e) / delta) by (apply Z.div_pos; lia).
    rewrite Nat2Z.inj_sub, Nat2Z.inj_min, Z2Nat.id by lia. unfold r. nia. }
  rewrite (below_ext _ _ (fun e => r + e - delta * Z.min (Z.of_nat c) ((r + e) / delta)))
    by (intros e I; apply L; lia).
  destruct (Z_lt_le_dec r (Z.of_nat c * delta)) as [K|K].
  - rewrite (below_ext _ _ (fun e => (r + e) mod Z.of_nat (Z.to_nat delta))).
    + rewrite remainders by lia. rewrite below_all, n. nia.
    + intros e I. rewrite n in *. assert ((r + e) / delta < Z.of_nat c + 1).
      { apply Z.div_lt_upper_bound; nia. }
      rewrite Z.min_r by lia. rewrite Z.mod_eq by lia. lia.
  - rewrite (below_ext _ _ (fun e => (r - delta * Z.of_nat c) + e)).
    + rewrite below_plus, Z.mul_add_distr_l, below_all, n.
      rewrite Z.max_r by (unfold r in K; nia). unfold r. nia.
    + intros e I. rewrite n in *. assert (Z.of_nat c <= (r + e) / delta).
      { apply Z.div_le_lower_bound; nia. }
      rewrite Z.min_l by lia. lia.
Qed.

(** ** The optimum of one step, and the recursion *)

Lemma half_step : forall s x delta v, well_formed s -> 1 <= delta -> offers x delta s ->
  optimum s v ->
  2 * v <= Z.of_nat (length (loads s)) * (delta - 1)
           + 2 * waterfill (loads s) (free s) x (x + delta).
Proof.
  intros s x delta v W d O (best & [_ least] & <-).
  set (M := level (loads s) (free s) x). set (workers := combine (loads s) (free s)).
  set (n := Z.to_nat delta). assert (n' : Z.of_nat n = delta) by lia.
  set (gap := fun e w => M + e - (fst w + sum (two_sizes (M + e) x delta w))).
  pose proof (below_level s x) as B. fold workers M in B.
  assert (U : below n (fun _ => cost s best) <= below n (fun e => sum (map (gap e) workers))).
  { apply below_le. intros e I.
    destruct (two_sizes_admit s (M + e) x delta W d O) as [A E]. fold workers in A, E.
    eapply Z.le_trans; [exact (least _ A)|]. unfold cost.
    set (after' := after s _) in *. unfold imbalance.
    assert (N : workers <> []) by now apply workers_nonempty.
    assert (T : largest after' <= M + e).
    { rewrite E. apply largest_least; [intros Z; now apply map_eq_nil in Z|].
      apply Forall_map. eapply Forall_impl; [|exact B]. intros w K.
      cbv beta in K. apply (two_sizes_load (M + e) x delta w d). lia. }
    unfold gap. rewrite <- (map_map (fun w => fst w + sum (two_sizes (M + e) x delta w))
      (fun load => M + e - load)), <- E, sum_of_gaps. nia. }
  rewrite below_constant, below_sum, n' in U.
  assert (T : 2 * sum (map (fun w => below n (fun e => gap e w)) workers)
    <= delta * (Z.of_nat (length workers) * (delta - 1)
                + 2 * waterfill (loads s) (free s) x (x + delta))).
  { unfold waterfill. fold workers M. clear - B d. induction B as [|w ws K B IH]; [simpl; lia|].
    simpl map. simpl sum. simpl length. cbv beta in K.
    pose proof (gaps_of_a_worker M x delta w d K) as Q. fold n in Q. unfold gap in *. lia. }
  assert (LW : length workers = length (loads s)).
  { unfold workers. rewrite combine_length. destruct W as [_ W]. lia. }
  rewrite LW in T. nia.
Qed.

Open Scope R_scope.

(** One step and [K] steps, as in [Recursion.v], with [G (delta - 1) / 2] in place of
    [(G - 1) (delta - 1)]; and a step of three workers in which this much is lost. *)
Theorem two_size_half : forall G B p x delta,
  (1 <= G)%nat -> 0 < p <= 1 -> (1 <= delta)%Z ->
  (forall workers pool v, full G B workers -> offers x delta (refill workers pool) ->
     optimum (refill workers pool) v ->
     IZR v <= (1 - p) * imb workers + INR G * (IZR delta - 1) / 2
              + deviations B p x delta workers) /\
  (forall K law F, (1 <= K)%nat -> law_of_runs (runs G B K (of_two_sizes x delta)) law ->
     (forall k, (k < K)%nat -> mean law (fun r => deviations B p x delta (r k)) <= F) ->
     mean law (fun r => average K (fun k => imb (r k)))
     <= (INR G * (IZR delta - 1) / 2 + F) / p
        + mean law (fun r => imb (r 0%nat)) / (p * INR K)) /\
  (let s := Step [0; 1; 2]%Z [1; 1; 1]%nat [1; 1; 1; 4; 4; 4]%Z in
   offers 1 3 s /\ waterfill (loads s) (free s) 1 4 = 0%Z /\ optimum s 3).
Proof.
  intros G B p x delta g P d.
  assert (one : forall workers pool v, full G B workers -> offers x delta (refill workers pool) ->
     optimum (refill workers pool) v ->
     IZR v <= (1 - p) * imb workers + INR G * (IZR delta - 1) / 2
              + deviations B p x delta workers).
  { intros workers pool v L O Q.
    pose proof (half_step _ x delta v (refill_well_formed G B workers pool g L) d O Q) as S.
    pose proof (waterfill_after_departures G B p x delta workers pool g L (proj2 P)) as T.
    cbv zeta in T. simpl loads in S at 1. rewrite map_length, (proj1 L) in S.
    apply IZR_le in S. rewrite plus_IZR, !mult_IZR, minus_IZR, <- INR_IZR_INZ in S. lra. }
  split; [exact one|]. split.
  - intros K law F k1 A D.
    apply (averaged_in_the_mean K p _ F _ law (fun r k => imb (r k))
      (fun r k => deviations B p x delta (r k)) k1 (proj1 P) A); [|exact D].
    intros r H. split; [apply imb_nonnegative|]. intros k I.
    assert (L := run_full G B K x delta r g H k ltac:(lia)).
    destruct (run_step G B x delta (r k) (r (S k)) g L (proj2 H k I)) as (pool & O & Q).
    now apply (one _ pool).
  - intros s. split; [|split].
    + unfold offers. simpl. lia.
    + reflexivity.
    + assert (E : optimal_imbalance s = 3%Z) by (vm_compute; reflexivity).
      rewrite <- E. apply optimum_exists.
Qed.
