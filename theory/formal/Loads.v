(** * Loads and the imbalance of one step

    A step is described by the list of the workers' loads.  The largest load sets the duration of
    the step; the imbalance [G max - sum] is what the other workers wait, in units of load.

    Claims: [balanceroute.gap-and-imbalance]. *)

From Coq Require Import ZArith List Lia Permutation.
Import ListNotations.
Open Scope Z_scope.

Definition sum (xs : list Z) : Z := fold_right Z.add 0 xs.

Definition largest (xs : list Z) : Z :=
  match xs with [] => 0 | x :: rest => fold_right Z.max x rest end.

Definition smallest (xs : list Z) : Z :=
  match xs with [] => 0 | x :: rest => fold_right Z.min x rest end.

Definition imbalance (loads : list Z) : Z :=
  Z.of_nat (length loads) * largest loads - sum loads.

(** ** Sums *)

Lemma sum_app : forall xs ys, sum (xs ++ ys) = sum xs + sum ys.
Proof. induction xs; simpl; intros; [|rewrite IHxs]; lia. Qed.

Lemma sum_permutation : forall xs ys, Permutation xs ys -> sum xs = sum ys.
Proof. induction 1; simpl; lia. Qed.

Lemma sum_repeat : forall x n, sum (repeat x n) = Z.of_nat n * x.
Proof. induction n; simpl repeat; [reflexivity|]. simpl sum. lia. Qed.

Lemma sum_between : forall a b xs, Forall (fun x => a <= x <= b) xs ->
  Z.of_nat (length xs) * a <= sum xs <= Z.of_nat (length xs) * b.
Proof. induction 1; simpl sum; simpl length; lia. Qed.

Lemma sum_map_le : forall A (f g : A -> Z) xs,
  Forall (fun x => f x <= g x) xs -> sum (map f xs) <= sum (map g xs).
Proof. induction 1; simpl; lia. Qed.

Lemma sum_Forall2 : forall A (f : A -> Z) (g : Z -> Z) xs ys,
  Forall2 (fun x y => f x <= g y) xs ys -> sum (map f xs) <= sum (map g ys).
Proof. induction 1; simpl; lia. Qed.

(** ** The largest and the smallest of a list *)

Lemma largest_above : forall xs x, In x xs -> x <= largest xs.
Proof.
  destruct xs as [|y ys]; simpl; [tauto|]. intros x [<-|H].
  - induction ys; simpl; lia.
  - induction ys; simpl in *; [tauto|]. destruct H as [->|H]; [|apply IHys in H]; lia.
Qed.

Lemma largest_in : forall xs, xs <> [] -> In (largest xs) xs.
Proof.
  destruct xs as [|y ys]; [congruence|]. intros _. simpl.
  induction ys as [|z zs IH]; simpl in *; [tauto|].
  destruct (Z.max_spec z (fold_right Z.max y zs)) as [[_ ->]|[_ ->]]; tauto.
Qed.

Lemma smallest_below : forall xs x, In x xs -> smallest xs <= x.
Proof.
  destruct xs as [|y ys]; simpl; [tauto|]. intros x [<-|H].
  - induction ys; simpl; lia.
  - induction ys; simpl in *; [tauto|]. destruct H as [->|H]; [|apply IHys in H]; lia.
Qed.

Lemma smallest_in : forall xs, xs <> [] -> In (smallest xs) xs.
Proof.
  destruct xs as [|y ys]; [congruence|]. intros _. simpl.
  induction ys as [|z zs IH]; simpl in *; [tauto|].
  destruct (Z.min_spec z (fold_right Z.min y zs)) as [[_ ->]|[_ ->]]; tauto.
Qed.

Lemma largest_least : forall xs m,
  xs <> [] -> Forall (fun x => x <= m) xs -> largest xs <= m.
Proof. intros xs m H F. rewrite Forall_forall in F. auto using largest_in. Qed.

Lemma smallest_greatest : forall xs m,
  xs <> [] -> Forall (fun x => m <= x) xs -> m <= smallest xs.
Proof. intros xs m H F. rewrite Forall_forall in F. auto using smallest_in. Qed.

Lemma largest_permutation : forall xs ys, Permutation xs ys -> largest xs = largest ys.
Proof.
  intros xs ys P. destruct xs as [|x xs'] eqn:E.
  - apply Permutation_nil in P. now subst.
  - assert (xs <> []) by (subst; discriminate). assert (ys <> []).
    { intros ->. now apply Permutation_sym, Permutation_nil in P. }
    rewrite <- E in *. apply Z.le_antisymm; apply largest_above.
    + eapply Permutation_in; [exact P|]. now apply largest_in.
    + eapply Permutation_in; [apply Permutation_sym; exact P|]. now apply largest_in.
Qed.

(** ** The imbalance *)

Lemma sum_of_gaps : forall m xs,
  sum (map (fun x => m - x) xs) = Z.of_nat (length xs) * m - sum xs.
Proof. induction xs; simpl sum; simpl length; lia. Qed.

(** The imbalance is the sum of the workers' gaps below the largest load. *)
Lemma imbalance_is_the_sum_of_gaps : forall loads,
  imbalance loads = sum (map (fun load => largest loads - load) loads).
Proof. intros. now rewrite sum_of_gaps. Qed.

Lemma imbalance_nonnegative : forall loads, 0 <= imbalance loads.
Proof.
  intros. rewrite imbalance_is_the_sum_of_gaps.
  assert (F : Forall (fun x => 0 <= largest loads - x) loads).
  { apply Forall_forall. intros x H. apply largest_above in H. lia. }
  apply sum_map_le in F. revert F. generalize (largest loads). intros m F.
  eapply Z.le_trans; [|exact F]. clear. induction loads; simpl; lia.
Qed.

Lemma imbalance_permutation : forall xs ys, Permutation xs ys -> imbalance xs = imbalance ys.
Proof.
  intros xs ys P. unfold imbalance.
  now rewrite (largest_permutation xs ys P), (sum_permutation xs ys P), (Permutation_length P).
Qed.

(** One worker has no gap and every other one at most [max - min]. *)
Lemma imbalance_at_most : forall loads, loads <> [] ->
  imbalance loads <= (Z.of_nat (length loads) - 1) * (largest loads - smallest loads).
Proof.
  intros loads H. destruct (in_split _ _ (largest_in _ H)) as (l & r & E).
  assert (bound : forall xs, (forall x, In x xs -> In x loads) ->
    Z.of_nat (length xs) * smallest loads <= sum xs).
  { intros xs I. apply (proj1 (sum_between (smallest loads) (largest loads) xs
      (proj2 (Forall_forall _ _) (fun x J =>
        conj (smallest_below _ _ (I x J)) (largest_above _ _ (I x J)))))). }
  assert (L : Z.of_nat (length l) * smallest loads <= sum l).
  { apply bound. intros x J. rewrite E. apply in_or_app. tauto. }
  assert (R : Z.of_nat (length r) * smallest loads <= sum r).
  { apply bound. intros x J. rewrite E. apply in_or_app. simpl. tauto. }
  assert (T : sum loads = sum l + (largest loads + sum r)).
  { rewrite E at 1. rewrite sum_app. reflexivity. }
  assert (N : length loads = (length l + S (length r))%nat).
  { rewrite E at 1. now rewrite app_length. }
  unfold imbalance. nia.
Qed.

Lemma imbalance_at_least : forall loads,
  loads <> [] -> largest loads - smallest loads <= imbalance loads.
Proof.
  intros loads H. rewrite imbalance_is_the_sum_of_gaps.
  pose proof (smallest_in _ H) as I. revert I.
  assert (F : Forall (fun x => 0 <= largest loads - x) loads).
  { apply Forall_forall. intros x J. apply largest_above in J. lia. }
  revert F. clear H. generalize (largest loads) as m. generalize (smallest loads) as s.
  intros s m F. induction F as [|x xs A F IH]; simpl; [tauto|].
  assert (0 <= sum (map (fun y => m - y) xs)).
  { clear - F. induction F as [|y ys A F IH]; simpl; cbv beta in *; lia. }
  cbv beta in A. intros [->|I]; [|apply IH in I]; lia.
Qed.

(** [balanceroute.gap-and-imbalance]: how [max - min] and [G max - sum] compare; both sides are
    attained, for every number of workers [G >= 2]. *)
Theorem balanceroute_gap_and_imbalance :
  (forall loads, (2 <= length loads)%nat ->
     largest loads - smallest loads <= imbalance loads
     <= (Z.of_nat (length loads) - 1) * (largest loads - smallest loads)) /\
  (forall G, (2 <= G)%nat ->
     (exists loads, length loads = G /\ largest loads - smallest loads = 1 /\
        imbalance loads = largest loads - smallest loads) /\
     (exists loads, length loads = G /\ largest loads - smallest loads = 1 /\
        imbalance loads = (Z.of_nat G - 1) * (largest loads - smallest loads))).
Proof.
  split.
  - intros loads H. assert (loads <> []) by (destruct loads; simpl in *; [lia|discriminate]).
    split; [now apply imbalance_at_least | now apply imbalance_at_most].
  - intros G H. destruct G as [|[|n]]; try lia.
    assert (R : forall x m, fold_right Z.max m (repeat x (S n)) = Z.max x m).
    { intros x m. induction n; simpl in *; lia. }
    assert (Q : forall x m, fold_right Z.min m (repeat x (S n)) = Z.min x m).
    { intros x m. clear R H. induction n; simpl in *; lia. }
    split.
    + exists (0 :: repeat 1 (S n)). unfold imbalance.
      replace (largest _) with 1 by (unfold largest; rewrite R; reflexivity).
      replace (smallest _) with 0 by (unfold smallest; rewrite Q; reflexivity).
      replace (sum _) with (0 + Z.of_nat (S n) * 1) by (rewrite <- sum_repeat; reflexivity).
      simpl length. rewrite repeat_length. lia.
    + exists (1 :: repeat 0 (S n)). unfold imbalance.
      replace (largest _) with 1 by (unfold largest; rewrite R; reflexivity).
      replace (smallest _) with 0 by (unfold smallest; rewrite Q; reflexivity).
      replace (sum _) with (1 + Z.of_nat (S n) * 0) by (rewrite <- sum_repeat; reflexivity).
      simpl length. rewrite repeat_length. lia.
Qed.
